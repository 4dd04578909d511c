#include "agent/exemplars/floor_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "agent/trace/ids/randomness.h"

namespace exa {
namespace {

Exchange of_randomness(std::uint64_t randomness) {
  Exchange exchange;
  exchange.randomness = randomness;
  exchange.span_id.bytes[0] = static_cast<std::uint8_t>(randomness + 1);
  return exchange;
}

std::vector<std::uint64_t> kept(const FloorQueue& queue) {
  std::vector<std::uint64_t> all;
  for (const auto& entry : queue.entries()) {
    EXPECT_EQ(queue.load(entry).randomness, entry.rank.randomness);
    all.push_back(entry.rank.randomness);
  }
  std::ranges::sort(all);
  return all;
}

TEST(FloorQueue, AdmitsTheShareItIsTold) {
  const FloorQueue half(0.5, 8);
  EXPECT_FALSE(half.admits(of_randomness((1ull << 55) - 1)));
  EXPECT_TRUE(half.admits(of_randomness(1ull << 55)));
  EXPECT_EQ(half.exact_threshold(), 1ull << 55);
  EXPECT_FALSE(FloorQueue(0, 8).admits(of_randomness(kRandomnessMask)));
  EXPECT_TRUE(FloorQueue(1, 8).admits(of_randomness(0)));
}

TEST(FloorQueue, KeepsTheLargestRInAnyOrder) {
  std::vector<std::uint64_t> values = {5, 1, 9, 3, 7, 2, 8};
  std::ranges::sort(values);
  do {
    FloorQueue queue(1, 3);
    for (const auto value : values)
      queue.push(of_randomness(value), value);
    ASSERT_THAT(kept(queue), ::testing::ElementsAre(7, 8, 9));
    ASSERT_EQ(queue.exact_threshold(), 6u) << "5 was dropped: only R >= 6 is complete";
  } while (std::ranges::next_permutation(values).found);
}

TEST(FloorQueue, StartsAnewEachWindow) {
  FloorQueue queue(1, 1);
  EXPECT_TRUE(queue.push(of_randomness(5), 0));
  EXPECT_FALSE(queue.push(of_randomness(6), 1));
  queue.clear();
  EXPECT_EQ(queue.exact_threshold(), 0u);
  EXPECT_TRUE(queue.push(of_randomness(1), 2));
  EXPECT_THAT(kept(queue), ::testing::ElementsAre(1));
}

}  // namespace
}  // namespace exa
