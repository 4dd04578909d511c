#include "agent/metrics/histogram.h"

namespace exa {

double quantile_s(const HistogramDelta& delta, const Bounds& bounds, double q) {
  const auto count = delta.count();
  if (count == 0) return 0;
  const double rank = q * static_cast<double>(count);
  double below = 0;
  for (std::size_t bucket = 0; bucket < bounds.bucket_count(); ++bucket) {
    const auto here = static_cast<double>(delta.bucket_counts[bucket]);
    if (here == 0 || below + here < rank) {
      below += here;
      continue;
    }
    const double least = static_cast<double>(delta.min_ns) / 1e9;
    const double most = static_cast<double>(delta.max_ns) / 1e9;
    auto [lower, upper] = bounds.edges_s(bucket);
    if (bucket + 1 == bounds.bucket_count()) upper = most;
    lower = std::max(lower, least);
    upper = std::min(upper, most);
    return lower + (upper - lower) * (rank - below) / here;
  }
  return static_cast<double>(delta.max_ns) / 1e9;
}

}  // namespace exa
