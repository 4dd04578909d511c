#include "agent/metrics/fine_histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace exa {
namespace {

double relative_error(std::uint64_t told, std::uint64_t right) {
  return std::abs(static_cast<double>(told) - static_cast<double>(right)) /
         static_cast<double>(right);
}

TEST(FineHistogram, ACellsMiddleIsNearWhateverItCounts) {
  for (std::uint64_t value_ns = 1'100; value_ns < 3'600'000'000'000; value_ns += value_ns / 37 + 1)
    ASSERT_LE(relative_error(FineHistogram::middle_of(FineHistogram::cell_of(value_ns)), value_ns),
              1.0 / 32)
        << value_ns;
  for (std::uint64_t value_ns = 0; value_ns < 1'100; ++value_ns) {
    const auto middle = FineHistogram::middle_of(FineHistogram::cell_of(value_ns));
    ASSERT_LE(std::max(middle, value_ns) - std::min(middle, value_ns), 35u) << value_ns;
  }
}

TEST(FineHistogram, CellsAscendWithTheirValuesToTheLast) {
  EXPECT_EQ(FineHistogram::cell_of(0), 0u);
  EXPECT_EQ(FineHistogram::cell_of(~std::uint64_t{0}), FineHistogram::kCells - 1);
  for (std::size_t cell = 1; cell < FineHistogram::kCells; ++cell) {
    EXPECT_GT(FineHistogram::middle_of(cell), FineHistogram::middle_of(cell - 1));
    EXPECT_EQ(FineHistogram::cell_of(FineHistogram::middle_of(cell)), cell);
  }
}

TEST(FineHistogram, TellsWhatItCountedAndForgetsIt) {
  FineHistogram histogram;
  for (int i = 0; i < 3; ++i)
    histogram.add(500'000);
  histogram.add(40'000'000);
  const auto cells = histogram.cells();
  ASSERT_EQ(cells.size(), 2u);
  EXPECT_EQ(cells[0].count, 3u);
  EXPECT_LE(relative_error(cells[0].middle_ns, 500'000), 0.03125);
  EXPECT_EQ(cells[1].count, 1u);
  histogram.clear();
  EXPECT_TRUE(histogram.cells().empty());
}

TEST(FineHistogram, TwoWindowsBecomeOne) {
  const std::vector<DurationCell> a = {{10, 1}, {30, 2}};
  const std::vector<DurationCell> b = {{20, 4}, {30, 8}, {40, 16}};
  const auto both = merged_cells(a, b);
  ASSERT_EQ(both.size(), 4u);
  EXPECT_EQ(both[1].count, 4u);
  EXPECT_EQ(both[2].middle_ns, 30u);
  EXPECT_EQ(both[2].count, 10u);
  EXPECT_EQ(merged_cells({}, b).size(), 3u);
}

}  // namespace
}  // namespace exa
