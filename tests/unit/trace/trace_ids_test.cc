#include "agent/trace/ids/trace_ids.h"

#include <gtest/gtest.h>

namespace exa {
namespace {

// A caller asks a front, which asks a back end. One request each, with two ends.
class Traces : public testing::Test {
 protected:
  static Exchange end(Role role, std::uint16_t caller, std::uint16_t server) {
    Exchange exchange;
    exchange.role = role;
    exchange.local = {.address = {127, 0, 0, 1}, .port = role == Role::kClient ? caller : server};
    exchange.remote = {.address = {127, 0, 0, 1}, .port = role == Role::kClient ? server : caller};
    exchange.request_sequence = 5'000;
    return exchange;
  }
  Exchange caller = end(Role::kClient, 40'000, 80);
  Exchange front = end(Role::kServer, 40'000, 80);
  Exchange call = end(Role::kClient, 50'000, 8080);
  Exchange back = end(Role::kServer, 50'000, 8080);
  TraceIds traces{HashKey{1}};
};

TEST_F(Traces, OfTheWholeChainAreOne) {
  traces.begin(front);
  EXPECT_TRUE(traces.make_part(call, front));
  traces.begin(back);
  for (auto* exchange : {&back, &call, &front, &caller})
    traces.name(*exchange);
  EXPECT_EQ(caller.trace_id, front.trace_id);
  EXPECT_EQ(call.trace_id, front.trace_id);
  EXPECT_EQ(back.trace_id, front.trace_id);
  EXPECT_EQ(back.trace_flags, kTraceRandom);
  EXPECT_NE(back.span_id, call.span_id);
  EXPECT_NE(front.span_id, call.span_id);
}

TEST_F(Traces, LeadOnDown) {
  auto deeper = end(Role::kClient, 60'000, 9090);
  auto deepest = end(Role::kServer, 60'000, 9090);
  EXPECT_TRUE(traces.make_part(call, front));
  EXPECT_TRUE(traces.make_part(deeper, back)) << "which had not been told its trace until now";
  traces.name(deepest);
  EXPECT_EQ(deepest.trace_id, front.trace_id);
}

TEST_F(Traces, ReachAnEndThatBeganBeforeItsCallWasSeen) {
  auto earlier = end(Role::kClient, 60'000, 9090);
  EXPECT_TRUE(traces.make_part(earlier, front));
  traces.begin(back);
  EXPECT_TRUE(traces.make_part(call, front));
  traces.name(back);
  EXPECT_EQ(back.trace_id, front.trace_id);
}

TEST_F(Traces, OfWhatOthersKnowStay) {
  auto deeper = end(Role::kClient, 60'000, 9090);
  EXPECT_TRUE(traces.make_part(deeper, back));
  const auto told = back.trace_id;
  EXPECT_TRUE(traces.make_part(call, front)) << "too late";
  traces.name(back);
  EXPECT_EQ(back.trace_id, told);
  EXPECT_EQ(deeper.trace_id, told);
}

TEST_F(Traces, ThatWereCarriedAreTakenOver) {
  front.has_context = true;
  front.trace_id.bytes[0] = 0xab;
  front.parent_span_id.bytes[0] = 9;
  front.trace_flags = kTraceSampled;
  front.has_incoming_rv = true;
  front.randomness = 77;
  EXPECT_TRUE(traces.make_part(call, front));
  traces.name(back);
  for (const auto& exchange : {call, back}) {
    EXPECT_EQ(exchange.trace_id, front.trace_id);
    EXPECT_EQ(exchange.trace_flags, kTraceSampled);
    EXPECT_TRUE(exchange.has_incoming_rv);
    EXPECT_EQ(exchange.randomness, 77u);
    EXPECT_FALSE(exchange.has_context);
    EXPECT_FALSE(exchange.parent_span_id.valid()) << "that is the front's";
  }
}

TEST_F(Traces, ThatTheOtherEndCannotFindAreNotGiven) {
  call.request_sequence = 0;
  EXPECT_FALSE(traces.make_part(call, front));
  front.request_sequence = 0;
  call.request_sequence = 5'000;
  EXPECT_FALSE(traces.make_part(call, front)) << "its caller could not find it either";
  EXPECT_FALSE(call.trace_id.valid());
}

}  // namespace
}  // namespace exa
