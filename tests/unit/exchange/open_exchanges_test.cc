#include "agent/exchange/open_exchanges.h"

#include <gtest/gtest.h>

#include <tuple>
#include <vector>

namespace exa {
namespace {

// A front with threads, which asks a back end. No request carries a context.
class Open : public testing::Test, public ExchangeSink {
 protected:
  static constexpr std::uint32_t kThread = 77;
  static constexpr std::uint32_t kOther = 78;

  void on_exchange(const Exchange& exchange) override {
    finished.push_back(exchange);
    traces.name(finished.back());
  }
  std::uint32_t begin(Role role, std::uint32_t sequence, std::uint32_t thread = kThread) {
    const auto slot = open.open(process, 0);
    auto& exchange = open[slot];
    exchange.role = role;
    exchange.tgid = role == Role::kServer && thread == kOther ? 2 : 1;
    exchange.local = {.address = {127, 0, 0, 1}, .port = role == Role::kServer ? kPort : kCaller};
    exchange.remote = {.address = {127, 0, 0, 1}, .port = role == Role::kServer ? kCaller : kPort};
    exchange.request_sequence = sequence;
    exchange.read = tick();
    const CallFacts call{.time = now, .thread = thread, .waits_itself = true};
    open.begin(slot, &call, false);
    return slot;
  }
  void finish(std::uint32_t slot, std::uint32_t thread = kThread) {
    const CallFacts call{.time = tick(), .thread = thread};
    open.finish(slot, process, {.outcome = Outcome::kComplete, .last_byte = now, .call = &call});
  }
  // What the front asks while it serves, and what answers that; then its own answer.
  void ask_back_end() {
    const auto front = begin(Role::kServer, 1'000);
    const auto call = begin(Role::kClient, 2'000);
    finish(begin(Role::kServer, 2'000, kOther), kOther);
    finish(call);
    finish(front);
    ASSERT_EQ(finished.size(), 3u);
  }
  void prove() {
    for (int i = 0; i < ThreadCalls::kProof; ++i)
      finish(begin(Role::kServer, 1));
    finished.clear();
  }
  MonotonicTime tick() { return now = {now.ns + 1}; }

  static constexpr std::uint16_t kPort = 80;
  static constexpr std::uint16_t kCaller = 40'000;
  MonotonicTime now;
  Counters counters;
  TraceIds traces{HashKey{1}};
  ExchangePool pool{{}, &traces};
  OpenExchanges open{pool, *this, counters, counters.of_protocol("any")};
  Tenant process;
  std::vector<Exchange> finished;
};

TEST_F(Open, WhatAThreadAsksIsPartOfWhatItServes) {
  prove();
  ask_back_end();
  const auto& [back, asked, served] = std::tie(finished[0], finished[1], finished[2]);
  EXPECT_EQ(asked.within, served.number);
  EXPECT_EQ(asked.trace_id, served.trace_id);
  EXPECT_EQ(back.trace_id, served.trace_id);
  EXPECT_EQ(back.within, 0u);
}

TEST_F(Open, WhatOutlastsTheAnswerIsPartOfNothing) {
  prove();
  const auto front = begin(Role::kServer, 1'000);
  const auto call = begin(Role::kClient, 2'000);
  finish(front);
  const auto next = begin(Role::kServer, 1'001);
  finish(call);
  finish(next);
  ASSERT_EQ(finished.size(), 3u);
  EXPECT_EQ(finished[1].within, 0u);
}

// The thread answers one request after 10 ms on a CPU, and then reads another that has waited
// since.
TEST_F(Open, ARequestThatWaitedSaysWhatItsThreadDid) {
  const auto call_at = [&](std::uint64_t ms) {
    return CallFacts{.time = {ms * 1'000'000}, .thread = kThread, .cpu_wait_known = true};
  };
  const auto read = [&](const CallFacts& call, MonotonicTime arrival) {
    const auto slot = open.open(process, 0);
    open[slot].role = Role::kServer;
    open[slot].tgid = 1;
    open[slot].arrival = arrival;
    open[slot].read = call.time;
    open.begin(slot, &call, false);
    return slot;
  };
  const auto answer = [&](std::uint32_t slot, const CallFacts& call) {
    open.finish(slot, process,
                {.outcome = Outcome::kComplete, .last_byte = call.time, .call = &call});
  };
  const auto first = read(call_at(100), {100'000'000});
  answer(first, call_at(110));
  const auto waited = read(call_at(111), {103'000'000});
  answer(waited, call_at(112));
  ASSERT_EQ(finished.size(), 2u);
  EXPECT_EQ(finished[0].account.before.queued_other_work_us, 0u);
  EXPECT_EQ(finished[1].account.before.queued_other_work_us, 8'000u);
  EXPECT_EQ(finished[1].account.before.queued_cpu_wait_us, 0u);
  EXPECT_EQ(finished[1].queued(), std::chrono::milliseconds(8));
}

TEST_F(Open, WithoutProofEachIsATraceOfItsOwn) {
  ask_back_end();
  EXPECT_EQ(finished[1].within, 0u);
  EXPECT_EQ(finished[0].trace_id, finished[1].trace_id) << "both ends of the request";
  EXPECT_NE(finished[1].trace_id, finished[2].trace_id);
}

}  // namespace
}  // namespace exa
