#include "agent/request_pipeline/cumulative_series.h"

#include <algorithm>
#include <map>
#include <utility>

namespace exa {

void CumulativeSeries::add(const ClosedWindow& window) {
  for (const auto& counted : window.series) {
    const auto [known, is_new] = by_uid_.try_emplace(counted.uid, series_.size());
    if (is_new) {
      State state{.uid = counted.uid,
                  .key = counted.key,
                  .attributes = attributes_of(counted.key),
                  .resource = nullptr,
                  .start = window.start,
                  .total = {},
                  .sum_ns = 0};
      auto target = window.targets.find(counted.key.target);
      if (target == window.targets.end()) target = window.targets.find(kNoTarget);
      if (target != window.targets.end()) state.resource = target->second->resource;
      series_.push_back(std::move(state));
    }
    auto& state = series_[known->second];
    state.total.merge(counted.delta);
    state.sum_ns += counted.delta.sum_ns;
  }
}

HistogramPoint CumulativeSeries::point(const State& state, WallTime time) {
  const auto& bounds = bounds_of(state.key.kind);
  HistogramPoint point;
  point.attributes = state.attributes;
  point.start = state.start;
  point.time = std::max(time, state.start);  // the wall clock may have been set back
  point.count = state.total.count();
  point.sum = static_cast<double>(state.sum_ns) / 1e9;
  point.min = static_cast<double>(state.total.min_ns) / 1e9;
  point.max = static_cast<double>(state.total.max_ns) / 1e9;
  point.bucket_counts.assign(
      state.total.bucket_counts.begin(),
      state.total.bucket_counts.begin() + static_cast<std::ptrdiff_t>(bounds.bucket_count()));
  point.bounds = bounds.upper_bounds_s();
  return point;
}

MetricBatch CumulativeSeries::points(const ClosedWindow& window, ExemplarsOfSeries exemplars,
                                     const SharesOfSeries& shares) const {
  MetricBatch batch{.window_start = window.start, .window_end = window.end, .resources = {}};
  struct Place {
    std::size_t resource;
    std::map<const MetricDescription*, std::size_t> metric_plus_one = {};
  };
  std::unordered_map<const Resource*, Place> places;
  for (const auto& state : series_) {
    const auto [place, is_new] = places.try_emplace(state.resource.get());
    if (is_new) {
      place->second.resource = batch.resources.size();
      batch.resources.push_back({.resource = state.resource, .metrics = {}});
    }
    auto& metrics = batch.resources[place->second.resource].metrics;
    const auto& description = describe(state.key);
    auto& metric_plus_one = place->second.metric_plus_one[&description];
    if (metric_plus_one == 0) {
      metrics.push_back({.name = description.name,
                         .description = description.description,
                         .unit = description.unit,
                         .points = Histogram{}});
      metric_plus_one = metrics.size();
    }
    auto made = point(state, window.end);
    if (const auto its = exemplars.find(state.uid); its != exemplars.end()) {
      made.exemplars = std::move(its->second);
      std::ranges::stable_sort(made.exemplars, {}, &Exemplar::value);
    }
    if (const auto its = shares.find(state.uid); its != shares.end()) made.window = its->second;
    std::get<Histogram>(metrics[metric_plus_one - 1].points).points.push_back(std::move(made));
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
