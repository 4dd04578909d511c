#include "agent/exemplars/slot.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "agent/exemplars/store.h"

namespace exa {
namespace {

struct Value {
  std::uint64_t randomness;
  std::uint64_t span;
  std::uint64_t value_ns;
  std::uint8_t bucket;
  bool is_error;
};

std::vector<Value> some_values(std::size_t count) {
  std::mt19937_64 random(3);
  std::vector<Value> values;
  for (std::size_t i = 0; i < count; ++i)
    values.push_back({.randomness = random() % 50,  // many ties, as within one trace
                      .span = random(),
                      .value_ns = random() % 20,
                      .bucket = static_cast<std::uint8_t>(random() % 4),
                      .is_error = random() % 8 == 0});
  return values;
}

SeriesStrata strata_of(const Value& value) {
  SeriesStrata strata;
  const StratumSlot slot{.rank = {value.randomness, value.span}, .count = 1};
  strata.slots[value.is_error][value.bucket] = slot;
  strata.slowest = {.value_ns = value.value_ns, .slot = slot};
  return strata;
}

SeriesStrata merged(auto first, auto last) {
  SeriesStrata strata;
  for (; first != last; ++first)
    strata.merge(strata_of(*first));
  return strata;
}

void expect_same_choice(const SeriesStrata& a, const SeriesStrata& b) {
  for (int error = 0; error < 2; ++error) {
    for (std::size_t bucket = 0; bucket < kMaxBuckets; ++bucket) {
      EXPECT_EQ(a.slots[error][bucket].rank, b.slots[error][bucket].rank);
      EXPECT_EQ(a.slots[error][bucket].count, b.slots[error][bucket].count);
    }
  }
  EXPECT_EQ(a.slowest.value_ns, b.slowest.value_ns);
  EXPECT_EQ(a.slowest.slot.rank, b.slowest.slot.rank);
}

TEST(Strata, ChooseTheSameInEveryOrder) {
  auto values = some_values(500);
  const auto expected = merged(values.begin(), values.end());
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::ranges::shuffle(values, std::mt19937(seed));
    expect_same_choice(merged(values.begin(), values.end()), expected);
  }
}

TEST(Strata, ChooseTheSameOverAnyNumberOfShards) {
  const auto values = some_values(500);
  const auto expected = merged(values.begin(), values.end());
  for (const std::size_t shards : {2, 3, 7, 100}) {
    std::vector<SeriesStrata> parts(shards);
    for (std::size_t i = 0; i < values.size(); ++i)
      parts[i % shards].merge(strata_of(values[i]));
    SeriesStrata whole;
    for (const auto& part : parts)
      whole.merge(part);
    expect_same_choice(whole, expected);
  }
}

TEST(Strata, ChooseTheSameHoweverAWindowIsSplit) {
  const auto values = some_values(500);
  const auto expected = merged(values.begin(), values.end());
  for (std::ptrdiff_t cut = 0; cut <= 500; cut += 50) {
    auto first = merged(values.begin(), values.begin() + cut);
    const auto second = merged(values.begin() + cut, values.end());
    first.merge(second);
    expect_same_choice(first, expected);
  }
}

TEST(Strata, AreAssociativeAndRepeatingAChoiceChangesNothing) {
  const auto values = some_values(30);
  const auto a = merged(values.begin(), values.begin() + 10);
  const auto b = merged(values.begin() + 10, values.begin() + 20);
  const auto c = merged(values.begin() + 20, values.end());
  auto left = a;
  left.merge(b);
  left.merge(c);
  auto right = b;
  right.merge(c);
  auto nested = a;
  nested.merge(right);
  expect_same_choice(left, nested);

  auto repeated = left;
  repeated.merge(left);
  EXPECT_EQ(repeated.slowest.slot.rank, left.slowest.slot.rank);
  for (int error = 0; error < 2; ++error)
    for (std::size_t bucket = 0; bucket < kMaxBuckets; ++bucket)
      EXPECT_EQ(repeated.slots[error][bucket].rank, left.slots[error][bucket].rank);
}

TEST(Strata, LargestRWinsAndOfOneTraceTheSmallestSpanId) {
  StratumSlot slot;
  slot.merge({.rank = {5, 50}, .count = 1});
  slot.merge({.rank = {7, 90}, .count = 1});
  slot.merge({.rank = {7, 40}, .count = 1});
  slot.merge({.rank = {6, 1}, .count = 1});
  EXPECT_EQ(slot.rank, (Rank{7, 40}));
  EXPECT_EQ(slot.count, 4u);
}

}  // namespace
}  // namespace exa
