#include "agent/metrics/distribution.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace exa {
namespace {

Distribution counted(const std::vector<std::uint64_t>& values_ns) {
  Distribution delta;
  for (const auto value : values_ns)
    delta.add(request_duration_bounds().bucket(value), value);
  return delta;
}

TEST(Distribution, CountsSumsAndKeepsTheExtremes) {
  const auto delta = counted({3'000'000, 7'000'000, 30'000'000'000});
  EXPECT_EQ(delta.count(), 3u);
  EXPECT_EQ(delta.sum, 30'010'000'000u);
  EXPECT_EQ(delta.min, 3'000'000u);
  EXPECT_EQ(delta.max, 30'000'000'000u);
  EXPECT_EQ(delta.bucket_counts[0], 1u);
  EXPECT_EQ(delta.bucket_counts[1], 1u);
  EXPECT_EQ(delta.bucket_counts[14], 1u);
}

TEST(Distribution, IsTheSameInAnyOrderAndOverAnyNumberOfShards) {
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> values(10'000);
  for (auto& value : values)
    value = random() % 20'000'000'000;
  const auto whole = counted(values);

  std::ranges::shuffle(values, random);
  Distribution merged;
  for (std::size_t first = 0; first < values.size(); first += 1'000)
    merged.merge(counted({values.begin() + static_cast<std::ptrdiff_t>(first),
                          values.begin() + static_cast<std::ptrdiff_t>(first + 1'000)}));

  EXPECT_EQ(merged, whole);
}

TEST(Quantile, LiesWithinWhatWasMeasured) {
  EXPECT_EQ(quantile({}, request_duration_bounds(), 0.99), 0);
  const auto one = counted({6'000'000});
  EXPECT_DOUBLE_EQ(quantile(one, request_duration_bounds(), 0.5), 0.006);
  const auto above_all_bounds = counted({20'000'000'000, 40'000'000'000});
  EXPECT_DOUBLE_EQ(quantile(above_all_bounds, request_duration_bounds(), 1), 40);
}

TEST(Quantile, IsLinearWithinABucket) {
  // 100 values of 10.1 to 20 ms: all in (0.01, 0.025].
  std::vector<std::uint64_t> values;
  for (std::uint64_t i = 1; i <= 100; ++i)
    values.push_back(10'000'000 + i * 100'000);
  EXPECT_NEAR(quantile(counted(values), request_duration_bounds(), 0.5), 0.015, 0.0002);
  EXPECT_NEAR(quantile(counted(values), request_duration_bounds(), 0.99), 0.0199, 0.0002);
}

}  // namespace
}  // namespace exa
