// Durations counted so finely that a quantile read from the counts is right to 5 %: sixteen cells
// of equal width in every power of two, from 64 ns on. A cell's middle is at most 1/32 of a
// duration away from it; below a microsecond, 32 ns.
// Capture thread while the window is open. 2 KiB, no allocation but in cells().
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

#include "exa/model/metric.h"

namespace exa {

class FineHistogram {
 public:
  static constexpr unsigned kUnitShift = 6;  // one unit is 64 ns
  static constexpr unsigned kCellBits = 4;   // 16 cells a power of two
  static constexpr unsigned kWidest = 36;    // units of more bits (73 minutes) share the last cell
  static constexpr std::size_t kCells = std::size_t{kWidest - kCellBits + 1} << kCellBits;

  void add(std::uint64_t value_ns) {
    auto& count = counts_[cell_of(value_ns)];
    if (count != std::numeric_limits<std::uint32_t>::max()) ++count;
  }

  [[nodiscard]] static std::size_t cell_of(std::uint64_t value_ns) {
    constexpr std::uint64_t kMost = (std::uint64_t{1} << kWidest) - 1;
    const auto units = std::min(value_ns >> kUnitShift, kMost);
    const auto width = static_cast<unsigned>(std::bit_width(units));
    if (width <= kCellBits) return units;
    const auto shift = width - kCellBits - 1;
    return (std::size_t{shift + 1} << kCellBits) | (units >> shift & ((1u << kCellBits) - 1));
  }
  [[nodiscard]] static std::uint64_t middle_of(std::size_t cell);

  // Those that counted something, ascending.
  [[nodiscard]] std::vector<DurationCell> cells() const;
  void clear() { counts_.fill(0); }

 private:
  std::array<std::uint32_t, kCells> counts_{};
};

// Of two windows. Both ascending, and so is what is returned.
std::vector<DurationCell> merged_cells(const std::vector<DurationCell>& a,
                                       const std::vector<DurationCell>& b);

}  // namespace exa
