#include "agent/metrics/distribution.h"

namespace exa {

double quantile(const Distribution& delta, const Bounds& bounds, double q) {
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
    const double least = bounds.in_units(delta.min);
    const double most = bounds.in_units(delta.max);
    auto [lower, upper] = bounds.edges(bucket);
    if (bucket + 1 == bounds.bucket_count()) upper = most;
    lower = std::max(lower, least);
    upper = std::min(upper, most);
    return lower + (upper - lower) * (rank - below) / here;
  }
  return bounds.in_units(delta.max);
}

}  // namespace exa
