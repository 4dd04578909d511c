#include "agent/trace/ids/randomness.h"

#include <gtest/gtest.h>

namespace exa {
namespace {

Exchange with_trace_id() {
  Exchange exchange;
  exchange.trace_id.bytes = {1,    2,    3,    4,    5,    6,    7,    8,
                             0xff, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde};
  exchange.has_context = true;
  return exchange;
}

TEST(Randomness, IsTheLast56BitsOfARandomTraceId) {
  auto exchange = with_trace_id();
  exchange.trace_flags = kTraceRandom;
  EXPECT_EQ(randomness_of(exchange, {}).value, 0x123456789abcdeu);
  EXPECT_TRUE(randomness_of(exchange, {}).publishable);
}

TEST(Randomness, TrustsPresumedIds) {
  EXPECT_EQ(randomness_of(with_trace_id(), {.presume_random = true}).value, 0x123456789abcdeu);
}

TEST(Randomness, PrefersWhatTheCallerPublished) {
  auto exchange = with_trace_id();
  exchange.trace_flags = kTraceRandom;
  exchange.has_incoming_rv = true;
  exchange.randomness = 0xabcdef01234567;
  EXPECT_EQ(randomness_of(exchange, {}).value, 0xabcdef01234567u);
  EXPECT_TRUE(randomness_of(exchange, {}).publishable);
}

TEST(Randomness, MixesIdsThatMayNotBeRandom) {
  const auto mixed = randomness_of(with_trace_id(), {});
  EXPECT_NE(mixed.value, 0x123456789abcdeu);
  EXPECT_LE(mixed.value, kRandomnessMask);
  EXPECT_FALSE(mixed.publishable);
  auto sibling = with_trace_id();
  sibling.trace_id.bytes[0] = 9;  // differs in the half that is not taken as it is
  EXPECT_NE(randomness_of(sibling, {}).value, mixed.value);
}

TEST(Randomness, UnderAFleetSeedNoClientCanCraftIt) {
  auto exchange = with_trace_id();
  exchange.has_incoming_rv = true;
  exchange.randomness = kRandomnessMask;
  const auto seeded = randomness_of(exchange, {.fleet_seed = HashKey{1}});
  EXPECT_NE(seeded.value, kRandomnessMask);
  EXPECT_FALSE(seeded.publishable);
  EXPECT_NE(randomness_of(exchange, {.fleet_seed = HashKey{2}}).value, seeded.value);
  EXPECT_EQ(randomness_of(exchange, {.fleet_seed = HashKey{1}}).value, seeded.value);
}

}  // namespace
}  // namespace exa
