#include "agent/metrics/bounds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace exa {
namespace {

// What the OpenTelemetry data model says of explicit bounds: (lower, upper].
std::size_t bucket_by_definition(const std::vector<double>& bounds, std::uint64_t value_ns) {
  const double value = static_cast<double>(value_ns) / 1e9;
  return static_cast<std::size_t>(std::ranges::lower_bound(bounds, value) - bounds.begin());
}

TEST(Bounds, AreThoseOfTheConventions) {
  EXPECT_EQ(*request_duration_bounds().upper_bounds(),
            (std::vector{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1., 2.5, 5., 7.5, 10.}));
  EXPECT_EQ(request_duration_bounds().bucket_count(), 15u);
}

TEST(Bounds, AnUpperBoundBelongsToItsBucket) {
  EXPECT_EQ(request_duration_bounds().bucket(0), 0);
  EXPECT_EQ(request_duration_bounds().bucket(5'000'000), 0);
  EXPECT_EQ(request_duration_bounds().bucket(5'000'001), 1);
  EXPECT_EQ(request_duration_bounds().bucket(10'000'000'000), 13);
  EXPECT_EQ(request_duration_bounds().bucket(10'000'000'001), 14);
  EXPECT_EQ(request_duration_bounds().bucket(std::numeric_limits<std::uint64_t>::max()), 14);
}

TEST(Bounds, OfSizesCountBytesAndKnowNothingAtAll) {
  const auto& bounds = body_size_bounds();
  for (const auto& [bytes, bucket] : std::vector<std::pair<std::uint64_t, int>>{
           {0, 0}, {1, 1}, {64, 1}, {65, 2}, {4096, 4}, {1 << 30, 13}, {(1 << 30) + 1, 14}})
    EXPECT_EQ(bounds.bucket(bytes), bucket) << bytes;
  EXPECT_EQ(bounds.in_units(4096), 4096);
}

TEST(Bounds, FindTheBucketOfTheDefinitionEverywhere) {
  const std::vector<std::vector<double>> all = {
      *request_duration_bounds().upper_bounds(),
      *queue_duration_bounds().upper_bounds(),
      {.001, .005, .01, .05, .1, .5, 1, 5, 10},
      {1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9},  // all in one octave
      {},
  };
  for (const auto& upper : all) {
    const Bounds bounds(upper, 1e9);
    for (const double bound : upper) {
      const auto ns = static_cast<std::uint64_t>(bound * 1e9 + 0.5);
      for (const auto value : {ns - 1, ns, ns + 1})
        EXPECT_EQ(bounds.bucket(value), bucket_by_definition(upper, value)) << value;
    }
    for (int shift = 0; shift < 64; ++shift) {
      const auto power = std::uint64_t{1} << shift;
      for (const auto value : {power - 1, power, power + 1, power | power >> 1})
        EXPECT_EQ(bounds.bucket(value), bucket_by_definition(upper, value)) << value;
    }
  }
}

}  // namespace
}  // namespace exa
