#include "exporters/openmetrics/exemplar_shelf.h"

#include <algorithm>
#include <cmath>

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

bool ExemplarShelf::goes_before(const Exemplar& a, const Exemplar& b) const {
  if (limits_.eviction == Eviction::kSmallestValue && a.value != b.value) return a.value < b.value;
  return a.time < b.time;
}

ExemplarShelf::Losses ExemplarShelf::add(const MetricBatch& batch) {
  static const std::vector<double> kNoBounds;
  Losses losses;
  now_ = batch.window_end;
  const auto keep_ns = static_cast<std::uint64_t>(limits_.keep.count());
  const auto oldest_ns = now_.ns > keep_ns ? now_.ns - keep_ns : 0;
  const auto newest_ns = now_.ns + kAheadNs;
  forget_if(
      [&](const Exemplar& exemplar) {
        return exemplar.time.ns < oldest_ns || exemplar.time.ns > newest_ns;
      },
      losses.expired);
  for (const ResourceMetrics& resource : batch.resources) {
    for (const Metric& metric : resource.metrics) {
      for (const HistogramPoint& point : histogram_points(metric))
        take_all(
            resource, metric, point.attributes, point.exemplars,
            [&](double value) {
              return bucket_of(value, point.bounds ? *point.bounds : kNoBounds);
            },
            losses);
      for (const NumberPoint& point : counter_points(metric))
        take_all(
            resource, metric, point.attributes, point.exemplars,
            [](double) { return std::size_t{0}; }, losses);
    }
  }
  forget_surplus(losses);
  return losses;
}

template <typename Bucket>
void ExemplarShelf::take_all(const ResourceMetrics& resource, const Metric& metric,
                             const Attributes& attributes, const std::vector<Exemplar>& exemplars,
                             Bucket bucket, Losses& losses) {
  if (exemplars.empty()) return;
  auto& series =
      series_[series_name(family_name(metric.name, metric.unit, is_counter(metric)),
                          series_labels(target_identity(resource.resource.get()), attributes))];
  for (const Exemplar& exemplar : exemplars)
    if (exemplar.has_ids() && std::isfinite(exemplar.value))
      take(series, bucket(exemplar.value), exemplar, losses);
}

void ExemplarShelf::take(std::vector<Kept>& series, std::size_t bucket, const Exemplar& exemplar,
                         Losses& losses) {
  const auto kept = std::ranges::find(series, bucket, &Kept::bucket);
  if (kept != series.end()) {
    if (to_ms(exemplar.time) > kept->shown_ms &&
        (kept->shown() || says_more(exemplar, kept->exemplar))) {
      losses.replaced += kept->shown() ? 0 : 1;
      kept->exemplar = exemplar;
    } else {
      ++losses.replaced;
    }
    return;
  }
  const Kept newcomer{.bucket = bucket, .shown_ms = 0, .exemplar = exemplar};
  if (series.size() < limits_.per_series) {
    series.push_back(newcomer);
    ++kept_;
    return;
  }
  const auto first = std::ranges::min_element(
      series, [this](const Exemplar& a, const Exemplar& b) { return goes_before(a, b); },
      &Kept::exemplar);
  if (first == series.end() || goes_before(exemplar, first->exemplar)) {
    ++losses.series_full;
    return;
  }
  losses.series_full += first->shown() ? 0 : 1;
  *first = newcomer;
}

template <typename Condition>
void ExemplarShelf::forget_if(Condition condition, std::size_t& lost) {
  for (auto& [name, series] : series_) {
    kept_ -= std::erase_if(series, [&](const Kept& kept) {
      if (!condition(kept.exemplar)) return false;
      lost += kept.shown() ? 0 : 1;
      return true;
    });
  }
  std::erase_if(series_, [](const auto& entry) { return entry.second.empty(); });
}

void ExemplarShelf::forget_surplus(Losses& losses) {
  if (kept_ <= limits_.total) return;
  std::vector<const Exemplar*> all;
  all.reserve(kept_);
  for (const auto& [name, series] : series_)
    for (const Kept& kept : series)
      all.push_back(&kept.exemplar);
  const auto last_to_go = all.begin() + static_cast<std::ptrdiff_t>(kept_ - limits_.total - 1);
  std::nth_element(all.begin(), last_to_go, all.end(),
                   [this](const Exemplar* a, const Exemplar* b) { return goes_before(*a, *b); });
  const Exemplar last = **last_to_go;
  forget_if([&](const Exemplar& exemplar) { return !goes_before(last, exemplar); }, losses.full);
}

ExemplarStoreState ExemplarShelf::state() const {
  ExemplarStoreState state{.stored = kept_, .capacity = limits_.total, .oldest_s = 0};
  for (const auto& [name, series] : series_)
    for (const Kept& kept : series)
      if (kept.exemplar.time < now_)
        state.oldest_s =
            std::max(state.oldest_s, static_cast<double>(now_.ns - kept.exemplar.time.ns) / 1e9);
  return state;
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
