#include "agent/naming/kubernetes/pod_watch.h"

#include <gmock/gmock.h>

#include "tests/unit/kubernetes/recorded.h"
#include "tests/unit/kubernetes/watch_fixture.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using Kind = PodUpdate::Kind;

TEST_F(PodWatchTest, ListsInPagesThenWatches) {
  FaultServer server([&](int request) -> FaultyAnswer {
    if (request == 0) return {.bytes = json(recorded("pods-node-a-page1.json"))};
    if (request == 1) return {.bytes = json(recorded("pods-node-a-page2.json"))};
    return {.bytes = "HTTP/1.1 200 OK\r\n\r\n" + recorded("watch-node-a.jsonl"),
            .then = FaultyAnswer::Then::kHold};
  });
  PodWatch watch(options(server), updates_, counters_, log_);
  ASSERT_TRUE(wait_for_kind(Kind::kListEnded));
  EXPECT_TRUE(wait_for("bare", Kind::kPodDeleted));
  const auto requests = server.requests();
  EXPECT_THAT(requests[0],
              HasSubstr("GET /api/v1/pods?fieldSelector=spec.nodeName%3Dnode-a&limit="));
  EXPECT_THAT(requests[0], HasSubstr("&resourceVersion=0 HTTP")) << "out of the cache";
  EXPECT_THAT(requests[1], Not(HasSubstr("resourceVersion"))) << "a page's version is in its token";
  EXPECT_THAT(requests[0], HasSubstr("Authorization: Bearer first\r\n"));
  EXPECT_THAT(requests[1], HasSubstr("&continue=eyJ2Ijoi"));
  EXPECT_THAT(requests[2], HasSubstr("watch=true&allowWatchBookmarks=true"));
  EXPECT_THAT(requests[2], HasSubstr("&resourceVersion=257&"));
}

TEST_F(PodWatchTest, ListsAnewWhenTheWatchIsTooOld) {
  FaultServer server([&](int request) -> FaultyAnswer {
    if (request == 1) return {.bytes = json(recorded("watch-too-old-410.jsonl") + "\n")};
    if (request == 3) return kHeldWatch;
    return {.bytes = json(recorded("pods-node-a.json"))};
  });
  PodWatch watch(options(server), updates_, counters_, log_);
  EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
  EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
  EXPECT_EQ(count(Counter::kApiExpired), 1u);
}

// An API server that was away and is back: it has forgotten the version, and the list must not wait
// as long as its silence made the pauses.
TEST_F(PodWatchTest, ListsAtOnceWhenAServerThatWasAwayHasForgottenTheVersion) {
  constexpr int kRefusals = 11;  // after them a pause of at least a second
  constexpr int kExpired = 1 + kRefusals;
  std::chrono::steady_clock::time_point back;
  FaultServer server([&](int request) -> FaultyAnswer {
    if (request == 0) return {.bytes = json(recorded("pods-node-a.json"))};
    if (request < kExpired) return {.bytes = http_answer(503, "", "")};
    if (request == kExpired) {
      back = std::chrono::steady_clock::now();
      return {.bytes = json(recorded("watch-too-old-410.jsonl") + "\n")};
    }
    return request == kExpired + 1 ? FaultyAnswer{.bytes = json(recorded("pods-node-a.json"))}
                                   : kHeldWatch;
  });
  auto patient = options(server);
  patient.longest_pause = 60s;
  PodWatch watch(patient, updates_, counters_, log_);
  EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
  EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
  EXPECT_LT(std::chrono::steady_clock::now() - back, 1s);
  EXPECT_EQ(count(Counter::kApiExpired), 1u);
}

TEST_F(PodWatchTest, ReadsARotatedTokenAfter401) {
  FaultServer server([&](int request) -> FaultyAnswer {
    if (request == 0) {
      write_token("second");
      return {.bytes = http_answer(401, "", recorded("error-401.json"))};
    }
    return request == 1 ? FaultyAnswer{.bytes = json(recorded("pods-node-a.json"))} : kHeldWatch;
  });
  PodWatch watch(options(server), updates_, counters_, log_);
  EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
  EXPECT_THAT(server.requests()[1], HasSubstr("Authorization: Bearer second\r\n"));
  EXPECT_EQ(count(Counter::kApiUnauthorized), 1u);
}

TEST_F(PodWatchTest, SurvivesAWrongRole) {
  FaultServer server([&](int request) -> FaultyAnswer {
    if (request < 3) return {.bytes = http_answer(403, "", recorded("error-403.json"))};
    return request == 3 ? FaultyAnswer{.bytes = json(recorded("pods-node-a.json"))} : kHeldWatch;
  });
  PodWatch watch(options(server), updates_, counters_, log_);
  EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
  EXPECT_EQ(count(Counter::kApiForbidden), 3u);
}

TEST_F(PodWatchTest, GoesOnFromTheLastVersionWhenAStreamIsCut) {
  const auto lines = recorded_lines("watch-node-a.jsonl");
  FaultServer server([&](int request) -> FaultyAnswer {
    if (request == 0) return {.bytes = json(recorded("pods-node-a.json"))};
    // One change, then half of the next.
    if (request == 1)
      return {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + lines[5] + "\n" +
                       lines[6].substr(0, 700),
              .then = FaultyAnswer::Then::kReset};
    return {.bytes = "HTTP/1.1 200 OK\r\n\r\n" + lines[6] + "\n",
            .then = FaultyAnswer::Then::kHold};
  });
  PodWatch watch(options(server), updates_, counters_, log_);
  EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
  EXPECT_TRUE(wait_for("bare"));
  EXPECT_TRUE(wait_for("checkout-5d4675f884-gfjrd"));
  EXPECT_THAT(server.requests()[2], HasSubstr("&resourceVersion=245&"));
  EXPECT_EQ(count(Counter::kApiLists), 1u);
}

TEST_F(PodWatchTest, CutsWhatHasNoEnd) {
  FaultServer server([&](int request) -> FaultyAnswer {
    if (request == 0) return {.bytes = "HTTP/1.1 200 OK\r\n\r\n", .endless = true};
    if (request == 2) return {.bytes = "HTTP/1.1 200 OK\r\n\r\n", .endless = true};
    return request == 4 ? kHeldWatch : FaultyAnswer{.bytes = json(recorded("pods-node-a.json"))};
  });
  PodWatch watch(options(server), updates_, counters_, log_);
  EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
  EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
  EXPECT_EQ(count(Counter::kApiTooLarge), 2u);
}

TEST_F(PodWatchTest, ListsAnewAfterNonsense) {
  FaultServer server([&](int request) -> FaultyAnswer {
    if (request == 0) return {.bytes = json("<html>no API server</html>")};
    if (request == 2)
      return {.bytes = "HTTP/1.1 200 OK\r\n\r\n" + std::string(70000, '[') + "\n",
              .then = FaultyAnswer::Then::kClose};
    return request == 4 ? kHeldWatch : FaultyAnswer{.bytes = json(recorded("pods-node-a.json"))};
  });
  PodWatch watch(options(server), updates_, counters_, log_);
  EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
  EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
  EXPECT_EQ(count(Counter::kApiMalformed), 2u);
}

TEST_F(PodWatchTest, EndsAtOnceWhileTheServerIsSilent) {
  FaultServer server([&](int) -> FaultyAnswer { return kHeldWatch; });
  const auto begin = std::chrono::steady_clock::now();
  {
    PodWatch watch(options(server), updates_, counters_, log_);
    ASSERT_TRUE(server.wait_for_requests(1));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
}

TEST_F(PodWatchTest, AnExpiredPageIsListedAnew) {
  FaultServer server([&](int request) -> FaultyAnswer {
    if (request == 0) return {.bytes = json(recorded("pods-node-a-page1.json"))};
    if (request == 1)
      return {
          .bytes = http_answer(
              410, "", R"({"kind":"Status","status":"Failure","reason":"Expired","code":410})")};
    return request == 2 ? FaultyAnswer{.bytes = json(recorded("pods-node-a.json"))} : kHeldWatch;
  });
  PodWatch watch(options(server), updates_, counters_, log_);
  EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
  EXPECT_EQ(count(Counter::kApiExpired), 1u);
  EXPECT_THAT(server.requests()[2], Not(HasSubstr("&continue=")));
}

TEST_F(PodWatchTest, AWatchThatMeets401GoesOnWithTheNewToken) {
  const auto lines = recorded_lines("watch-node-a.jsonl");
  FaultServer server([&](int request) -> FaultyAnswer {
    if (request == 0) return {.bytes = json(recorded("pods-node-a.json"))};
    if (request == 1) {
      write_token("second");
      return {.bytes = http_answer(401, "", recorded("error-401.json"))};
    }
    return {.bytes = "HTTP/1.1 200 OK\r\n\r\n" + lines[5] + "\n",
            .then = FaultyAnswer::Then::kHold};
  });
  PodWatch watch(options(server), updates_, counters_, log_);
  EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
  EXPECT_TRUE(wait_for("bare"));
  EXPECT_THAT(server.requests()[2], HasSubstr("Authorization: Bearer second\r\n"));
  EXPECT_THAT(server.requests()[2], HasSubstr("&resourceVersion=257&"));
  EXPECT_EQ(count(Counter::kApiLists), 1u) << "what was known stays known";
}

// "Too large resource version": the server's store is older than the watch, and it asks for a
// second.
TEST_F(PodWatchTest, ListsAnewWhenTheServerIsBehindAndWaitsAsLongAsItAsks) {
  FaultServer server([&](int request) -> FaultyAnswer {
    if (request == 1) return {.bytes = http_answer(504, "", recorded("error-rv-too-large.json"))};
    return request < 3 ? FaultyAnswer{.bytes = json(recorded("pods-node-a.json"))} : kHeldWatch;
  });
  const auto begin = std::chrono::steady_clock::now();
  PodWatch watch(options(server), updates_, counters_, log_);
  EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
  ASSERT_TRUE(server.wait_for_requests(3));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 1s);
  EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
  EXPECT_EQ(count(Counter::kApiRefused), 1u);
}

TEST_F(PodWatchTest, AsksForPagesAfterAListTooLargeAndForSmallerOnesAfterAPageTooLarge) {
  const auto huge = R"({"items":[{"metadata":{"uid":"u","annotations":{"a":")" +
                    std::string(kMaxApiBytes, 'v') + R"("}}}]})";
  FaultServer server([&](int request) -> FaultyAnswer {
    if (request < 2) return {.bytes = json(huge)};
    return request == 2 ? FaultyAnswer{.bytes = json(recorded("pods-node-a.json"))} : kHeldWatch;
  });
  PodWatch watch(options(server), updates_, counters_, log_);
  EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
  EXPECT_THAT(server.requests()[0], HasSubstr("&resourceVersion=0 HTTP"));
  EXPECT_THAT(server.requests()[1], HasSubstr("&limit=50 HTTP"));
  EXPECT_THAT(server.requests()[2], HasSubstr("&limit=25 HTTP"));
}

TEST_F(PodWatchTest, AHugePodWithinTheBoundIsReadAndCut) {
  auto huge = recorded_lines("watch-node-a.jsonl")[5];  // bare
  const std::string metadata = R"("metadata":{)";
  huge.insert(huge.find(metadata) + metadata.size(),
              R"("annotations":{"kubectl.kubernetes.io/last-applied-configuration":")" +
                  std::string(4u << 20, '{') + R"(","resource.opentelemetry.io/team":")" +
                  std::string(1u << 20, 't') + R"("},)");
  FaultServer server([&](int request) -> FaultyAnswer {
    if (request == 0) return {.bytes = json(recorded("pods-node-a.json"))};
    return {.bytes = "HTTP/1.1 200 OK\r\n\r\n" + huge + "\n", .then = FaultyAnswer::Then::kHold};
  });
  PodWatch watch(options(server), updates_, counters_, log_);
  EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
  const auto pod = wait_for("bare");
  ASSERT_TRUE(pod);
  ASSERT_EQ(pod->annotations.size(), 1u);
  EXPECT_EQ(pod->annotations[0].second, std::string(kMaxPodTextBytes, 't'));
}

TEST_F(PodWatchTest, TellsHowTheSourceAnswers) {
  std::atomic<bool> allowed = false;
  std::atomic<bool> listed = false;
  FaultServer server([&](int) -> FaultyAnswer {
    if (!allowed) return {.bytes = http_answer(403, "", recorded("error-403.json"))};
    if (listed.exchange(true)) return kHeldWatch;
    return {.bytes = json(recorded("pods-node-a.json"))};
  });
  const auto before = monotonic_now();
  testing::internal::CaptureStderr();
  {
    const Log log(LogThreshold::kInfo, LogFormat::kText, "test");
    PodWatch watch(options(server), updates_, counters_, log);
    ASSERT_TRUE(server.wait_for_requests(5));
    EXPECT_EQ(watch.health().state, SourceState::kForbidden);
    const auto asked_since = watch.health().last_answer;
    EXPECT_GE(asked_since.ns, before.ns);
    allowed = true;
    EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (watch.health().state != SourceState::kFollowing &&
           std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
    EXPECT_EQ(watch.health().state, SourceState::kFollowing);
    EXPECT_GT(watch.health().last_answer.ns, asked_since.ns);
  }
  const auto said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(lines_with(said, "not permitted to list pods"), 1) << said;
  EXPECT_EQ(lines_with(said, "get, list and watch on pods"), 1) << said;
  EXPECT_EQ(lines_with(said, "the pods on node node-a are known"), 1) << said;
}

}  // namespace
}  // namespace exa
