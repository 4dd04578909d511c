#include "agent/exchange/exchange_matcher.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace exa {
namespace {

using ::testing::ElementsAre;

class Matcher : public ::testing::Test, public ExchangeSink {
 protected:
  void on_exchange(const Exchange& exchange) override {
    finished.push_back(std::string(exchange.path.view()) + " " + std::to_string(exchange.status));
    last = exchange;
  }
  void ask(const std::string& path, Role role = Role::kServer) {
    http1::RequestHead head;
    head.method = Method::kGet;
    head.path = path;
    matcher.on_request(queue,
                       {.socket = 1,
                        .local = {},
                        .remote = {},
                        .role = role,
                        .tls = true,
                        .tgid = 2,
                        .tcp_sequence = 3,
                        .arrival = {90},
                        .first_byte = {100}},
                       head, 20);
  }
  void answer(std::uint16_t status) {
    http1::ResponseHead head;
    head.status = status;
    matcher.on_response_head(queue, head, {200}, {210}, 30);
    matcher.add_response_bytes(queue, 5, {220});
    matcher.finish(queue, Outcome::kComplete, {220});
  }

  Counters counters;
  ExchangeMatcher matcher{*this, counters, {.unanswered_per_connection = 3, .unanswered = 64}};
  RequestQueue queue;
  std::vector<std::string> finished;
  Exchange last;
};

TEST_F(Matcher, AnswersComeInTheOrderOfTheRequests) {
  ask("/1");
  ask("/2");
  matcher.add_request_bytes(queue, 7);  // of the newest
  answer(200);
  EXPECT_EQ(last.request_bytes, 20u);
  answer(404);
  EXPECT_EQ(last.request_bytes, 27u);
  EXPECT_THAT(finished, ElementsAre("/1 200", "/2 404"));
  EXPECT_EQ(last.response_bytes, 35u);
  EXPECT_EQ(last.first_response.ns, 200u);
  EXPECT_EQ(last.last_response.ns, 220u);
  EXPECT_TRUE(last.tls);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(matcher.unanswered(), 0u);
}

TEST_F(Matcher, ArrivalBelongsToServersAndNeverFollowsTheRead) {
  ask("/server");
  answer(200);
  EXPECT_EQ(last.arrival.ns, 90u);
  ask("/client", Role::kClient);
  answer(200);
  EXPECT_FALSE(last.arrival.known());
  http1::RequestHead head;
  matcher.on_request(queue,
                     {.socket = 1,
                      .local = {},
                      .remote = {},
                      .role = Role::kServer,
                      .tls = false,
                      .tgid = 2,
                      .tcp_sequence = 3,
                      .arrival = {101},
                      .first_byte = {100}},
                     head, 20);
  answer(200);
  EXPECT_FALSE(last.arrival.known());
}

TEST_F(Matcher, RequestsOverTheBoundKeepTheirPlaceInTheOrder) {
  for (const char* path : {"/1", "/2", "/3", "/4", "/5"})
    ask(path);
  EXPECT_EQ(counters.get(Counter::kRequestsUnansweredOverflow), 2u);
  for (const std::uint16_t status : {201, 202, 203, 204, 205})
    answer(status);
  EXPECT_THAT(finished, ElementsAre("/1 201", "/2 202", "/3 203"));
  EXPECT_TRUE(queue.empty());
  ask("/6");
  answer(206);
  EXPECT_EQ(finished.back(), "/6 206");
}

TEST_F(Matcher, AbortSettlesAllAndForgetCountsAll) {
  ask("/1");
  ask("/2");
  matcher.abort_all(queue, Outcome::kAbortedByPeer, {500}, 104);
  EXPECT_THAT(finished, ElementsAre("/1 0", "/2 0"));
  EXPECT_EQ(last.last_response.ns, 500u);
  EXPECT_EQ(last.socket_error, 104);
  ask("/3");
  matcher.forget_all(queue, Counter::kOrphanGap);
  EXPECT_EQ(counters.get(Counter::kOrphanGap), 1u);
  EXPECT_EQ(matcher.unanswered(), 0u);
  EXPECT_EQ(counters.get(Counter::kExchanges), 2u);
}

TEST_F(Matcher, TheTotalIsBounded) {
  std::vector<RequestQueue> queues(40);
  for (auto& one : queues) {
    std::swap(queue, one);
    ask("/a");
    ask("/b");
    std::swap(queue, one);
  }
  EXPECT_EQ(matcher.unanswered(), 64u);
  EXPECT_EQ(counters.get(Counter::kRequestsUnansweredOverflow), 16u);
}

}  // namespace
}  // namespace exa
