// What one series counted in one window, in whole numbers of the scale of its bounds: nanoseconds,
// bytes. So the sum is exact and does not depend on the order of the requests.
// Capture thread while the window is open; a value afterwards. No allocation.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <numeric>

#include "agent/metrics/bounds.h"

namespace exa {

struct Distribution {
  std::array<std::uint64_t, kMaxBuckets> bucket_counts{};
  std::uint64_t sum = 0;
  std::uint64_t min = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t max = 0;

  void add(std::uint8_t bucket, std::uint64_t value) {
    ++bucket_counts[bucket];
    sum += value;
    min = std::min(min, value);
    max = std::max(max, value);
  }

  // Of two shards, or of two windows.
  void merge(const Distribution& other) {
    for (std::size_t i = 0; i < kMaxBuckets; ++i)
      bucket_counts[i] += other.bucket_counts[i];
    sum += other.sum;
    min = std::min(min, other.min);
    max = std::max(max, other.max);
  }

  [[nodiscard]] std::uint64_t count() const {
    return std::accumulate(bucket_counts.begin(), bucket_counts.end(), std::uint64_t{0});
  }
  bool operator==(const Distribution&) const = default;
};

// The q-quantile, linear within its bucket, never beyond what was measured. Zero if empty.
double quantile(const Distribution& delta, const Bounds& bounds, double q);

}  // namespace exa
