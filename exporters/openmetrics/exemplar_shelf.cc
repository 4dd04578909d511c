#include "exporters/openmetrics/exemplar_shelf.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "exporters/openmetrics/names.h"
#include "exporters/openmetrics/series_name.h"

namespace exa {
namespace {

// The wall clock was set back: what lies further ahead than this would never be replaced.
constexpr std::uint64_t kAheadNs = 1'000'000'000;

// A bucket shows one exemplar only. Of several slowest requests the slower one; else the newer one.
bool says_more(const Exemplar& a, const Exemplar& b) {
  if (a.reason != b.reason) return importance(a.reason) > importance(b.reason);
  if (a.reason == ExemplarReason::kSlowest && a.value != b.value) return a.value > b.value;
  return a.time > b.time;
}

std::uint64_t to_ms(WallTime time) {
  return time.ns / 1'000'000;
}

}  // namespace

std::size_t bucket_of(double value, const std::vector<double>& bounds) {
  return static_cast<std::size_t>(std::lower_bound(bounds.begin(), bounds.end(), value) -
                                  bounds.begin());
}

bool ExemplarShelf::Kept::shown() const {
  return shown_ms >= to_ms(exemplar.time);
}

ExemplarShelf::Losses ExemplarShelf::add(const MetricBatch& batch) {
  static const std::vector<double> kNoBounds;
  Losses losses;
  const auto now_ns = batch.window_end.ns;
  forget_outside(now_ns > kKeepNs ? now_ns - kKeepNs : 0, now_ns + kAheadNs, losses);
  for (const ResourceMetrics& resource : batch.resources) {
    for (const Metric& metric : resource.metrics) {
      for (const HistogramPoint& point : histogram_points(metric)) {
        if (point.exemplars.empty()) continue;
        auto& series = series_[series_name(
            family_name(metric.name, metric.unit, false),
            series_labels(target_identity(resource.resource.get()), point.attributes))];
        for (const Exemplar& exemplar : point.exemplars)
          if (exemplar.has_ids() && std::isfinite(exemplar.value))
            take(series, bucket_of(exemplar.value, point.bounds ? *point.bounds : kNoBounds),
                 exemplar, losses);
      }
    }
  }
  forget_surplus(losses);
  return losses;
}

void ExemplarShelf::take(std::vector<Kept>& series, std::size_t bucket, const Exemplar& exemplar,
                         Losses& losses) {
  const auto kept = std::ranges::find(series, bucket, &Kept::bucket);
  if (kept == series.end()) {
    series.push_back({.bucket = bucket, .shown_ms = 0, .exemplar = exemplar});
    ++kept_;
    return;
  }
  if (to_ms(exemplar.time) > kept->shown_ms &&
      (kept->shown() || says_more(exemplar, kept->exemplar))) {
    losses.replaced += kept->shown() ? 0 : 1;
    kept->exemplar = exemplar;
  } else {
    ++losses.replaced;
  }
}

void ExemplarShelf::forget_outside(std::uint64_t oldest_ns, std::uint64_t newest_ns,
                                   Losses& losses) {
  for (auto& [name, series] : series_) {
    kept_ -= std::erase_if(series, [&](const Kept& kept) {
      if (kept.exemplar.time.ns >= oldest_ns && kept.exemplar.time.ns <= newest_ns) return false;
      losses.given_up += kept.shown() ? 0 : 1;
      return true;
    });
  }
  std::erase_if(series_, [](const auto& entry) { return entry.second.empty(); });
}

void ExemplarShelf::forget_surplus(Losses& losses) {
  if (kept_ <= kMaxExemplars) return;
  std::vector<std::uint64_t> times;
  times.reserve(kept_);
  for (const auto& [name, series] : series_)
    for (const Kept& kept : series)
      times.push_back(kept.exemplar.time.ns);
  const auto newest_to_go = times.begin() + static_cast<std::ptrdiff_t>(kept_ - kMaxExemplars - 1);
  std::nth_element(times.begin(), newest_to_go, times.end());
  forget_outside(*newest_to_go + 1, std::numeric_limits<std::uint64_t>::max(), losses);
}

ShownExemplars ExemplarShelf::show() {
  ShownExemplars shown;
  for (auto& [name, series] : series_) {
    auto& buckets = shown[name];
    for (Kept& kept : series) {
      kept.shown_ms = to_ms(kept.exemplar.time);
      buckets.push_back({kept.bucket, kept.exemplar});
    }
  }
  return shown;
}

}  // namespace exa
