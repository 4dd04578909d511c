#include "agent/request_pipeline/cumulative_series.h"

#include <algorithm>
#include <utility>

namespace exa {
namespace {

KeyTexts texts_of(const SeriesKey& key, const ClosedWindow& window) {
  const auto text_of = [&](NameId name) {
    const auto known = window.names.find(name);
    return known == window.names.end() ? KeyText{} : known->second;
  };
  return {.server = text_of(key.server.name), .name = text_of(key.name)};
}

}  // namespace

void CumulativeSeries::add(const ClosedWindow& window) {
  for (auto& state : series_)
    if (counts_open_requests(state.key.kind)) state.total = {};
  for (const auto& counted : window.series) {
    const auto [known, is_new] = by_uid_.try_emplace(counted.uid, series_.size());
    if (is_new) {
      State state{.uid = counted.uid,
                  .key = counted.key,
                  .attributes = attributes_of(counted.key, texts_of(counted.key, window)),
                  .resource = nullptr,
                  .start = window.start,
                  .total = {},
                  .sum = 0};
      auto target = window.targets.find(counted.key.target);
      if (target == window.targets.end()) target = window.targets.find(kNoTarget);
      if (target != window.targets.end()) state.resource = target->second->resource;
      series_.push_back(std::move(state));
    }
    auto& state = series_[known->second];
    state.total.merge(counted.delta);
    state.sum += counted.delta.sum;
  }
}

HistogramPoint CumulativeSeries::histogram_point(const State& state, WallTime time) {
  const auto& bounds = row_of(state.key.kind).bounds();
  HistogramPoint point;
  point.attributes = state.attributes;
  point.start = state.start;
  point.time = std::max(time, state.start);  // the wall clock may have been set back
  point.count = state.total.count();
  point.sum = bounds.in_units(state.sum);
  point.min = bounds.in_units(state.total.min);
  point.max = bounds.in_units(state.total.max);
  point.bucket_counts.assign(
      state.total.bucket_counts.begin(),
      state.total.bucket_counts.begin() + static_cast<std::ptrdiff_t>(bounds.bucket_count()));
  point.bounds = bounds.upper_bounds();
  return point;
}

NumberPoint CumulativeSeries::number_point(const State& state, WallTime time) {
  return {.attributes = state.attributes,
          .start = state.start,
          .time = std::max(time, state.start),
          .value = static_cast<std::int64_t>(state.total.count())};
}

MetricBatch CumulativeSeries::points(const ClosedWindow& window, ExemplarsOfSeries exemplars,
                                     const SharesOfSeries& shares) const {
  struct Family {
    const MetricDescription* description;
    const char* unit;
    decltype(Metric::points) points;
  };
  struct Place {
    std::shared_ptr<const Resource> resource;
    std::vector<Family> families = {};
  };
  std::vector<Place> places;
  std::unordered_map<const Resource*, std::size_t> place_of;
  const auto family_of = [&](const State& state) -> Family& {
    const auto [place, is_new] = place_of.try_emplace(state.resource.get(), places.size());
    if (is_new) places.push_back({.resource = state.resource});
    auto& families = places[place->second].families;
    const auto* const description = &describe(state.key);
    const auto known = std::ranges::find(families, description, &Family::description);
    if (known != families.end()) return *known;
    const auto& row = row_of(state.key.kind);
    auto& family = families.emplace_back(
        Family{.description = description, .unit = row.unit, .points = Histogram{}});
    if (row.shape == MetricShape::kUpDownCounter)
      family.points = Sum{.points = {}, .monotonic = false};
    return family;
  };
  const auto add_histogram_point = [&](const State& state, Histogram& histogram) {
    auto made = histogram_point(state, window.end);
    if (const auto its = exemplars.find(state.uid); its != exemplars.end()) {
      made.exemplars = std::move(its->second);
      std::ranges::stable_sort(made.exemplars, {}, &Exemplar::value);
    }
    if (const auto its = shares.find(state.uid); its != shares.end()) made.window = its->second;
    histogram.points.push_back(std::move(made));
  };
  for (const auto& state : series_)
    std::visit(Overloaded{
                   [&](Gauge& gauge) { gauge.points.push_back(number_point(state, window.end)); },
                   [&](Sum& sum) { sum.points.push_back(number_point(state, window.end)); },
                   [&](Histogram& histogram) { add_histogram_point(state, histogram); },
               },
               family_of(state).points);

  MetricBatch batch{.window_start = window.start, .window_end = window.end, .resources = {}};
  for (auto& [resource, families] : places) {
    auto& metrics =
        batch.resources.emplace_back(ResourceMetrics{.resource = resource, .metrics = {}}).metrics;
    for (auto& [description, unit, points] : families)
      metrics.push_back({.name = description->name,
                         .description = description->description,
                         .unit = unit,
                         .points = std::move(points)});
  }
  return batch;
}

CumulativeSeries::CountsOfMetrics CumulativeSeries::forget(const std::vector<SeriesUid>& expired) {
  CountsOfMetrics retired{};
  if (expired.empty()) return retired;
  for (const auto uid : expired) {
    const auto known = by_uid_.find(uid);
    if (known == by_uid_.end()) continue;
    const auto& state = series_[known->second];
    retired[static_cast<std::size_t>(state.key.kind)] += state.total.count();
    by_uid_.erase(known);
  }
  std::erase_if(series_, [&](const State& state) { return !by_uid_.contains(state.uid); });
  for (std::size_t i = 0; i < series_.size(); ++i)
    by_uid_[series_[i].uid] = i;
  return retired;
}

}  // namespace exa
