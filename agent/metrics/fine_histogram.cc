#include "agent/metrics/fine_histogram.h"

namespace exa {

std::uint64_t FineHistogram::middle_of(std::size_t cell) {
  const auto row = cell >> kCellBits;
  const auto within = cell & ((1u << kCellBits) - 1);
  const auto shift = row == 0 ? 0 : row - 1;
  const auto lower =
      (row == 0 ? std::uint64_t{within} : std::uint64_t{(1u << kCellBits) | within} << shift)
      << kUnitShift;
  const auto width = std::uint64_t{1} << (shift + kUnitShift);
  return lower + width / 2;
}

std::vector<DurationCell> FineHistogram::cells() const {
  std::vector<DurationCell> cells;
  for (std::size_t cell = 0; cell < kCells; ++cell)
    if (counts_[cell] != 0) cells.push_back({middle_of(cell), counts_[cell]});
  return cells;
}

std::vector<DurationCell> merged_cells(const std::vector<DurationCell>& a,
                                       const std::vector<DurationCell>& b) {
  std::vector<DurationCell> merged;
  merged.reserve(a.size() + b.size());
  for (auto left = a.begin(), right = b.begin(); left != a.end() || right != b.end();) {
    const bool take_left =
        right == b.end() || (left != a.end() && left->middle_ns <= right->middle_ns);
    const auto& next = take_left ? *left++ : *right++;
    if (!merged.empty() && merged.back().middle_ns == next.middle_ns)
      merged.back().count += next.count;
    else
      merged.push_back(next);
  }
  return merged;
}

}  // namespace exa
