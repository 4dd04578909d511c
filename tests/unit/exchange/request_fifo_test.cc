#include "agent/exchange/request_fifo.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace exa {
namespace {

using ::testing::ElementsAre;

class Fifo : public ::testing::Test, public ExchangeSink {
 protected:
  void on_exchange(const Exchange& exchange) override {
    finished.push_back(std::string(exchange.operation.name.view()) + " " +
                       std::to_string(exchange.operation.status));
    last = exchange;
  }
  bool ask(const std::string& path) {
    auto* exchange = queue.push(open);
    if (exchange == nullptr) return false;
    exchange->operation.name.assign(path);
    exchange->request_body_bytes = 20;
    return true;
  }
  void answer(std::uint16_t status) {
    if (auto* exchange = queue.oldest(open)) exchange->operation.status = status;
    queue.finish_oldest(open, {.outcome = Outcome::kComplete,
                               .last_byte = {220},
                               .ports_proven = true,
                               .socket_error = 0});
  }

  Counters counters;
  ExchangePool pool{{.unanswered_per_connection = 3, .unanswered = 64}};
  OpenExchanges open{pool, *this, counters, counters.of_protocol("any")};
  Tenant process;
  RequestFifo queue{process};
  std::vector<std::string> finished;
  Exchange last;
};

TEST_F(Fifo, AnswersComeInTheOrderOfTheRequests) {
  ask("/1");
  ask("/2");
  queue.newest(open)->request_body_bytes += 7;
  answer(200);
  EXPECT_EQ(last.request_body_bytes, 20u);
  answer(404);
  EXPECT_EQ(last.request_body_bytes, 27u);
  EXPECT_THAT(finished, ElementsAre("/1 200", "/2 404"));
  EXPECT_EQ(last.outcome, Outcome::kComplete);
  EXPECT_EQ(last.last_response.ns, 220u);
  EXPECT_TRUE(last.ports_proven);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.oldest(open), nullptr);
  EXPECT_EQ(pool.size(), 0u);
}

TEST_F(Fifo, RequestsOverTheBoundKeepTheirPlaceInTheOrder) {
  for (const char* path : {"/1", "/2", "/3", "/4", "/5"})
    ask(path);
  EXPECT_EQ(counters.get(ProtocolCounter::kRequestsUnansweredOverflow), 2u);
  EXPECT_EQ(queue.newest(open), nullptr);  // nobody keeps what is said of it
  EXPECT_EQ(queue.waiting(), 5u);
  answer(201);
  EXPECT_FALSE(ask("/late"));  // there would be a place, but not behind /5
  for (const std::uint16_t status : {202, 203, 204, 205, 206})
    answer(status);
  EXPECT_THAT(finished, ElementsAre("/1 201", "/2 202", "/3 203"));
  EXPECT_TRUE(queue.empty());
  ask("/6");
  answer(207);
  EXPECT_EQ(finished.back(), "/6 207");
}

TEST_F(Fifo, AbortSettlesAllAndForgetCountsAll) {
  ask("/1");
  queue.newest(open)->last_response = {450};
  ask("/2");
  queue.abort_all(open, {.outcome = Outcome::kAbortedByPeer,
                         .last_byte = {500},
                         .ports_proven = false,
                         .socket_error = 104});
  EXPECT_THAT(finished, ElementsAre("/1 0", "/2 0"));
  EXPECT_EQ(last.last_response.ns, 500u);
  EXPECT_EQ(last.socket_error, 104);
  ask("/3");
  queue.forget_all(open, ProtocolCounter::kOrphanGap);
  EXPECT_EQ(counters.get(ProtocolCounter::kOrphanGap), 1u);
  EXPECT_EQ(pool.size(), 0u);
  EXPECT_EQ(counters.get(Counter::kExchanges), 2u);
}

TEST_F(Fifo, AnAbortedAnswerEndsWhenItIsAborted) {
  ask("/1");
  queue.oldest(open)->last_response = {450};
  queue.abort_all(open, {.outcome = Outcome::kAbortedByPeer,
                         .last_byte = {500},
                         .ports_proven = false,
                         .socket_error = 0});
  EXPECT_EQ(last.last_response.ns, 500u);
}

TEST_F(Fifo, EndpointsThatBecomeKnownAreThoseOfAllThatWait) {
  ask("/1");
  ask("/2");
  queue.learn_endpoints(open, {.address = {}, .port = 80, .is_ipv6 = false},
                        {.address = {}, .port = 40'000, .is_ipv6 = false}, 3, 17);
  EXPECT_EQ(queue.oldest(open)->request_sequence, 17u);
  EXPECT_EQ(queue.newest(open)->request_sequence, 0u);
  EXPECT_EQ(queue.newest(open)->local.port, 80u);
  EXPECT_EQ(queue.newest(open)->remote.port, 40'000u);
  EXPECT_EQ(queue.newest(open)->connection_number, 3u);
}

TEST_F(Fifo, TheTotalIsBounded) {
  std::vector<Tenant> processes(40);
  std::vector<RequestFifo> queues;
  for (auto& one : processes)
    queues.emplace_back(one);
  for (auto& one : queues) {
    one.push(open);
    one.push(open);
  }
  EXPECT_EQ(pool.size(), 64u);
  // The last place is not for who has as many as are free.
  EXPECT_EQ(counters.get(ProtocolCounter::kRequestsOverShare), 1u);
  EXPECT_EQ(counters.get(ProtocolCounter::kRequestsUnansweredOverflow), 15u);
}

TEST_F(Fifo, AProcessHoldsAtMostAsManyAsAreFree) {
  std::vector<RequestFifo> queues(40, RequestFifo(process));
  for (auto& one : queues)
    one.push(open);
  EXPECT_EQ(pool.size(), 32u);
  EXPECT_EQ(counters.get(ProtocolCounter::kRequestsOverShare), 8u);
}

}  // namespace
}  // namespace exa
