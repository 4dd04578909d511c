#include "agent/discovery/kubernetes/pod_watch.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>

#include "tests/unit/exporters/fault_server.h"
#include "tests/unit/kubernetes/recorded.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Kind = PodUpdate::Kind;

std::string json(const std::string& body) {
  return http_answer(200, "", body);
}

class PodWatchTest : public testing::Test {
 protected:
  PodWatchTest() {
    folder_ = (std::filesystem::temp_directory_path() / "exa_pod_watch_XXXXXX").string();
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    write_token("first");
  }
  ~PodWatchTest() override { std::filesystem::remove_all(folder_); }

  void write_token(const std::string& token) { std::ofstream(folder_ + "/token") << token << '\n'; }

  PodWatchOptions options(const FaultServer& server) const {
    return {.endpoint = {.url = server.url(), .token_file = folder_ + "/token", .ca_file = ""},
            .node_name = "node-a",
            .shortest_pause = 1ms,
            .longest_pause = 20ms};
  }
  // All updates until the pod is told; its last state.
  std::optional<Pod> wait_for(const std::string& name, Kind kind = Kind::kPod) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (auto update = updates_.pop_until(deadline))
      if (update->kind == kind && update->pod.name == name) return update->pod;
    return std::nullopt;
  }
  bool wait_for_kind(Kind kind) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (auto update = updates_.pop_until(deadline))
      if (update->kind == kind) return true;
    return false;
  }
  [[nodiscard]] std::uint64_t count(Counter counter) const { return counters_.get(counter); }

  std::string folder_;
  Counters counters_;
  Log log_{LogThreshold::kOff, LogFormat::kText, "test"};
  PodUpdates updates_{4};  // small: the watch must wait for its reader
};

const FaultyAnswer kHeldWatch{.bytes = "HTTP/1.1 200 OK\r\n\r\n",
                              .then = FaultyAnswer::Then::kHold};

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

TEST_F(PodWatchTest, AsksTheKubeletByIntervals) {
  FaultServer server(
      [&](int) -> FaultyAnswer { return {.bytes = json(recorded("pods-node-a.json"))}; });
  auto from_kubelet = options(server);
  from_kubelet.source = PodSource::kKubelet;
  from_kubelet.kubelet_interval = 1ms;
  PodWatch watch(from_kubelet, updates_, counters_, log_);
  EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
  EXPECT_TRUE(wait_for_kind(Kind::kListEnded));
  EXPECT_THAT(server.requests()[0], HasSubstr("GET /pods HTTP/1.1"));
}

TEST(InClusterOptions, AreThoseOfThePod) {
  const auto environment = [](const char* name) -> const char* {
    const std::string_view asked(name);
    if (asked == "KUBERNETES_SERVICE_HOST") return "fd00::1";
    if (asked == "KUBERNETES_SERVICE_PORT") return "6443";
    return asked == "NODE_NAME" ? "node-a" : nullptr;
  };
  const auto found = in_cluster_options(environment, "/account");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->endpoint.url, "https://[fd00::1]:6443");
  EXPECT_EQ(found->endpoint.token_file, "/account/token");
  EXPECT_FALSE(in_cluster_options([](const char*) -> const char* { return nullptr; }));
}

}  // namespace
}  // namespace exa
