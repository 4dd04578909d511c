// A counter for each row of a table of counters. Each has one writing thread, so add() is a plain
// load and store; any thread may read.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace exa {

// Row: the enumeration made of the table, with kCount as its last.
template <typename Row>
class CounterValues {
 public:
  void add(Row row, std::uint64_t by = 1) {
    auto& value = values_[static_cast<std::size_t>(row)];
    value.store(value.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t get(Row row) const {
    return values_[static_cast<std::size_t>(row)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Row::kCount)> values_{};
};

}  // namespace exa
