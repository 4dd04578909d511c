#include "agent/metrics/exponential_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <vector>

namespace exa {
namespace {

// From the definition, in long double: base^index < value <= base^(index + 1).
bool lies_in(double value, int index, int scale) {
  const auto bound = [scale](int i) {
    return std::exp2(std::ldexp(static_cast<long double>(i), -scale));
  };
  // At a bound that is no power of two the definition is beyond what a double can tell.
  constexpr long double kRounding = 1e-15L;
  return bound(index) < value * (1 + kRounding) && value <= bound(index + 1) * (1 + kRounding);
}

double any_value(std::mt19937_64& random, double widest = 60) {
  return std::exp2(std::uniform_real_distribution(-widest / 2, widest / 2)(random));
}

ExponentialHistogram of(const std::vector<double>& values) {
  ExponentialHistogram histogram;
  for (const auto value : values)
    histogram.add(value);
  return histogram;
}

TEST(ExponentialHistogram, PutsValuesBetweenTheirBounds) {
  std::mt19937_64 random(1);
  for (int scale = -10; scale <= 20; ++scale)
    for (int i = 0; i < 2'000; ++i) {
      const double value = any_value(random);
      ASSERT_TRUE(lies_in(value, ExponentialHistogram::index_of(value, scale), scale))
          << value << " at scale " << scale;
    }
}

TEST(ExponentialHistogram, APowerOfTwoIsAnUpperBound) {
  for (int power = -40; power <= 40; ++power) {
    const double value = std::ldexp(1.0, power);
    for (int scale = 0; scale <= 20; ++scale)
      EXPECT_EQ(ExponentialHistogram::index_of(value, scale), power * (1 << scale) - 1);
    EXPECT_EQ(ExponentialHistogram::index_of(value, -2), (power - 1) >> 2);
  }
}

TEST(ExponentialHistogram, OneValueIsAsFineAsItGets) {
  const auto one = of({0.25});
  EXPECT_EQ(one.scale(), ExponentialHistogram::kFinest);
  EXPECT_EQ(one.bucket_count(), 1u);
  EXPECT_EQ(one.bucket(one.offset()), 1u);
}

TEST(ExponentialHistogram, WhatIsNotAboveZeroIsCountedApart) {
  const auto histogram = of({0, -1, 1});
  EXPECT_EQ(histogram.zero_count(), 2u);
  EXPECT_EQ(histogram.count(), 3u);
}

// The counts of the scale that it ended with, computed from the values.
TEST(ExponentialHistogram, CoarsensWithoutLosingACount) {
  std::mt19937_64 random(2);
  for (int run = 0; run < 200; ++run) {
    std::vector<double> values;
    const double widest = 1 + static_cast<double>(random() % 60);
    for (int i = 0; i < 500; ++i)
      values.push_back(any_value(random, widest));
    const auto histogram = of(values);
    std::map<int, std::uint64_t> expected;
    for (const auto value : values)
      ++expected[ExponentialHistogram::index_of(value, histogram.scale())];
    ASSERT_EQ(histogram.count(), values.size());
    ASSERT_LE(histogram.bucket_count(), ExponentialHistogram::kMostBuckets);
    ASSERT_EQ(histogram.offset(), expected.begin()->first);
    for (const auto& [index, count] : expected)
      ASSERT_EQ(histogram.bucket(index), count);
    // One step finer they would not fit.
    if (histogram.scale() < ExponentialHistogram::kFinest) {
      const auto [low, high] = std::ranges::minmax(values);
      const auto finer = histogram.scale() + 1;
      EXPECT_GE(
          ExponentialHistogram::index_of(high, finer) - ExponentialHistogram::index_of(low, finer),
          static_cast<int>(ExponentialHistogram::kMostBuckets));
    }
  }
}

TEST(ExponentialHistogram, ShardsAndOrderChangeNothing) {
  std::mt19937_64 random(3);
  for (int run = 0; run < 100; ++run) {
    std::vector<double> values;
    for (int i = 0; i < 300; ++i)
      values.push_back(
          random() % 20 == 0 ? 0 : any_value(random, 1 + static_cast<double>(random() % 40)));
    const auto whole = of(values);
    std::ranges::shuffle(values, random);
    EXPECT_EQ(of(values), whole);
    const auto cut = values.begin() + static_cast<std::ptrdiff_t>(random() % values.size());
    auto first = of({values.begin(), cut});
    auto second = of({cut, values.end()});
    auto other_way = second;
    other_way.merge(first);
    first.merge(second);
    EXPECT_EQ(first, whole);
    EXPECT_EQ(other_way, whole);
    first.merge({});
    EXPECT_EQ(first, whole);
  }
}

TEST(ExponentialHistogram, TakesTheSmallestAndTheLargestOfAll) {
  const auto histogram = of({5e-324, 1.7e308, 1});
  EXPECT_EQ(histogram.count(), 3u);
  EXPECT_LE(histogram.bucket_count(), ExponentialHistogram::kMostBuckets);
}

}  // namespace
}  // namespace exa
