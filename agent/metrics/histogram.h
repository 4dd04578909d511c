// What one series counted in one window. The sum is an integer, so it is exact and does not depend
// on the order of the requests.
// Capture thread while the window is open; a value afterwards. No allocation.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <numeric>

#include "agent/metrics/bounds.h"

namespace exa {

struct HistogramDelta {
  std::array<std::uint64_t, kMaxBuckets> bucket_counts{};
  std::uint64_t sum_ns = 0;
  std::uint64_t min_ns = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t max_ns = 0;

  void add(std::uint8_t bucket, std::uint64_t value_ns) {
    ++bucket_counts[bucket];
    sum_ns += value_ns;
    min_ns = std::min(min_ns, value_ns);
    max_ns = std::max(max_ns, value_ns);
  }

  // Of two shards, or of two windows.
  void merge(const HistogramDelta& other) {
    for (std::size_t i = 0; i < kMaxBuckets; ++i)
      bucket_counts[i] += other.bucket_counts[i];
    sum_ns += other.sum_ns;
    min_ns = std::min(min_ns, other.min_ns);
    max_ns = std::max(max_ns, other.max_ns);
  }

  [[nodiscard]] std::uint64_t count() const {
    return std::accumulate(bucket_counts.begin(), bucket_counts.end(), std::uint64_t{0});
  }
  bool operator==(const HistogramDelta&) const = default;
};

// The q-quantile, linear within its bucket, never beyond what was measured. Zero if empty.
double quantile_s(const HistogramDelta& delta, const Bounds& bounds, double q);

}  // namespace exa
