// Finds entries that lie elsewhere by their hash: an open-addressing table of their numbers.
// One thread. Fixed size, 8 bytes a cell and at least two cells an entry; no allocation after
// construction.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace exa {

class HashIndex {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;

  // most: of entries at a time, below 2^30.
  explicit HashIndex(std::size_t most)
      : cells_(std::bit_ceil(2 * std::max<std::size_t>(most, 1))),
        mask_(static_cast<std::uint32_t>(cells_.size() - 1)) {}

  // The entry with that hash of which is_it(number) is true, kNone if there is none.
  template <class IsIt>
  [[nodiscard]] std::uint32_t find(std::uint64_t hash, IsIt is_it) const {
    const auto folded = fold(hash);
    for (auto at = folded & mask_;; at = (at + 1) & mask_) {
      const auto& cell = cells_[at];
      if (cell.entry == kNone) return kNone;
      if (cell.hash == folded && is_it(cell.entry)) [[likely]]
        return cell.entry;
    }
  }

  // An entry that is not in the index.
  void insert(std::uint64_t hash, std::uint32_t entry) {
    auto at = fold(hash) & mask_;
    while (cells_[at].entry != kNone)
      at = (at + 1) & mask_;
    cells_[at] = {entry, fold(hash)};
  }

  // An entry that is in the index.
  void erase(std::uint64_t hash, std::uint32_t entry) {
    auto hole = fold(hash) & mask_;
    while (cells_[hole].entry != entry)
      hole = (hole + 1) & mask_;
    // Close the gap, so that a search may stop at the first empty cell.
    for (auto at = (hole + 1) & mask_; cells_[at].entry != kNone; at = (at + 1) & mask_) {
      const auto home = cells_[at].hash & mask_;
      if (((at - home) & mask_) < ((at - hole) & mask_)) continue;
      cells_[hole] = cells_[at];
      hole = at;
    }
    cells_[hole] = {};
  }

 private:
  struct Cell {
    std::uint32_t entry = kNone;
    std::uint32_t hash = 0;  // folded: its home, and most mismatches end here
  };
  static std::uint32_t fold(std::uint64_t hash) {
    return static_cast<std::uint32_t>(hash ^ hash >> 32);
  }

  std::vector<Cell> cells_;
  std::uint32_t mask_;
};

}  // namespace exa
