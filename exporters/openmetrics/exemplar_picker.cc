#include "exporters/openmetrics/exemplar_picker.h"

#include <algorithm>
#include <cmath>

namespace exa {
namespace {

// Smaller says more: a bucket shows one exemplar only.
int rank(ExemplarReason reason) {
  switch (reason) {
    case ExemplarReason::kError:
      return 0;
    case ExemplarReason::kPolicy:
      return 1;
    case ExemplarReason::kSlowest:
      return 2;
    case ExemplarReason::kBucket:
      return 3;
    case ExemplarReason::kFloor:
      return 4;
  }
  return 5;
}

std::uint64_t to_ms(WallTime time) {
  return time.ns / 1'000'000;
}

}  // namespace

std::size_t bucket_of(double value, const std::vector<double>& bounds) {
  return static_cast<std::size_t>(std::lower_bound(bounds.begin(), bounds.end(), value) -
                                  bounds.begin());
}

void ExemplarPicker::begin(WallTime window_start) {
  window_start_ = window_start;
  std::erase_if(shown_, [](const auto& entry) { return !entry.second.seen; });
  for (auto& [series, shown] : shown_)
    shown.seen = false;
}

std::vector<const Exemplar*> ExemplarPicker::pick(const std::string& series,
                                                  const HistogramPoint& point) {
  static const std::vector<double> kNoBounds;
  const std::vector<double>& bounds = point.bounds ? *point.bounds : kNoBounds;
  std::vector<const Exemplar*> picked(bounds.size() + 1, nullptr);
  Shown& shown = shown_[series];
  shown.seen = true;
  shown.last_ms.resize(picked.size(), 0);

  for (const Exemplar& exemplar : point.exemplars) {
    if (!exemplar.has_ids() || !std::isfinite(exemplar.value)) continue;
    if (exemplar.time.ns + kLatenessNs < window_start_.ns) continue;
    const std::size_t bucket = bucket_of(exemplar.value, bounds);
    if (to_ms(exemplar.time) <= shown.last_ms[bucket]) continue;
    const Exemplar*& best = picked[bucket];
    const bool better = best == nullptr || rank(exemplar.reason) < rank(best->reason) ||
                        (rank(exemplar.reason) == rank(best->reason) && exemplar.time > best->time);
    if (better) best = &exemplar;
  }
  for (std::size_t i = 0; i < picked.size(); ++i)
    if (picked[i] != nullptr) shown.last_ms[i] = to_ms(picked[i]->time);
  return picked;
}

}  // namespace exa
