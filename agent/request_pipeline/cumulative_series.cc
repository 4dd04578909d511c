#include "agent/request_pipeline/cumulative_series.h"

#include <algorithm>
#include <iterator>
#include <type_traits>
#include <utility>
#include <variant>

#include "agent/request_pipeline/account_points.h"

namespace exa {
namespace {

std::shared_ptr<const RequestSeries> requests_of(const SeriesKey& key, const KeyTexts& texts) {
  const auto& row = row_of(key.kind);
  if (!row.counts_requests) return nullptr;
  auto requests = std::make_shared<RequestSeries>();
  requests->at_client = row.end == Role::kClient;
  if (key.overflow) return requests;
  const auto& semantics = semantics_of(key.convention);
  requests->asked = semantics.asked(key, texts);
  requests->answered = semantics.answered(key);
  requests->is_error = key.error != ErrorType::kNone;
  return requests;
}

// Puts points of the same metric of the same resource together, in the order in which they come.
class BatchBuilder {
 public:
  explicit BatchBuilder(const ClosedWindow& window)
      : batch_{.window_start = window.start, .window_end = window.end, .resources = {}} {}

  // Of a metric of one shape. Valid until the next call.
  template <typename Shape>
  Shape& points_of(const std::shared_ptr<const Resource>& resource,
                   const MetricDescription& description, const char* unit) {
    const auto [known, is_new] = places_.try_emplace(resource.get(), places_.size());
    if (is_new) {
      batch_.resources.push_back({.resource = resource, .metrics = {}});
      descriptions_.emplace_back();
    }
    auto& metrics = batch_.resources[known->second].metrics;
    auto& descriptions = descriptions_[known->second];
    const auto place = static_cast<std::size_t>(std::ranges::find(descriptions, &description) -
                                                descriptions.begin());
    if (place == metrics.size()) {
      descriptions.push_back(&description);
      metrics.push_back({.name = description.name,
                         .description = description.description,
                         .unit = unit,
                         .points = Shape{}});
    }
    Shape* points = nullptr;
    std::visit(
        [&points](auto& held) {
          if constexpr (std::is_same_v<std::remove_reference_t<decltype(held)>, Shape>)
            points = &held;
        },
        metrics[place].points);
    return *points;
  }
  MetricBatch batch() && { return std::move(batch_); }

 private:
  MetricBatch batch_;
  std::vector<std::vector<const MetricDescription*>> descriptions_;  // by place of the resource
  std::unordered_map<const Resource*, std::size_t> places_;
};

std::shared_ptr<const ExponentialBuckets> exponential_buckets(
    const ExponentialHistogram& histogram) {
  auto buckets = std::make_shared<ExponentialBuckets>();
  buckets->scale = histogram.scale();
  buckets->zero_count = histogram.zero_count();
  buckets->offset = histogram.offset();
  for (std::size_t i = 0; i < histogram.bucket_count(); ++i)
    buckets->counts.push_back(histogram.bucket(histogram.offset() + static_cast<int>(i)));
  return buckets;
}

}  // namespace

void CumulativeSeries::add(const ClosedWindow& window) {
  for (auto& state : series_)
    if (counts_open_requests(state.key.kind)) state.total = {.start = state.total.start};
  for (const auto& counted : window.series) {
    const auto [known, is_new] = by_uid_.try_emplace(counted.uid, series_.size());
    if (is_new) {
      const auto texts = window.texts_of(counted.key);
      State state{.uid = counted.uid,
                  .key = counted.key,
                  .attributes = attributes_of(counted.key, texts),
                  .requests = requests_of(counted.key, texts),
                  .resource = nullptr,
                  .total = {.start = window.start},
                  .accounts = {},
                  .exponential = {}};
      auto target = window.targets.find(counted.key.target);
      if (target == window.targets.end()) target = window.targets.find(kNoTarget);
      if (target != window.targets.end()) state.resource = target->second->resource;
      series_.push_back(std::move(state));
    }
    auto& state = series_[known->second];
    state.total.add(counted.delta);
    if (counted.accounts) state.accounts.merge(counted.accounts->total());
    if (!counted.exponential) continue;
    if (!state.exponential) state.exponential.emplace();
    state.exponential->merge(*counted.exponential);
  }
}

HistogramPoint CumulativeSeries::histogram_point(const State& state, WallTime time) {
  auto point = state.total.histogram_point(state.attributes, time, row_of(state.key.kind).bounds());
  if (state.exponential) point.exponential = exponential_buckets(*state.exponential);
  return point;
}

NumberPoint CumulativeSeries::bare_point(const State& state, WallTime time) {
  return {.attributes = state.attributes,
          .start = state.total.start,
          .time = state.total.time(time),
          .value = {}};
}

MetricBatch CumulativeSeries::points(const ClosedWindow& window, ExemplarsOfSeries exemplars,
                                     const SharesOfSeries& shares) const {
  BatchBuilder builder(window);
  for (const auto& state : series_) {
    const auto& row = row_of(state.key.kind);
    const auto& description = describe(state.key);
    if (row.shape == MetricShape::kUpDownCounter) {
      auto& sum = builder.points_of<Sum>(state.resource, description, row.unit);
      sum.monotonic = false;
      sum.points.push_back(state.total.number_point(state.attributes, window.end));
      continue;
    }
    auto made = histogram_point(state, window.end);
    if (const auto its = exemplars.find(state.uid); its != exemplars.end()) {
      made.exemplars = std::move(its->second);
      std::ranges::stable_sort(made.exemplars, {}, &Exemplar::value);
    }
    made.requests = state.requests;
    if (const auto its = shares.find(state.uid); its != shares.end()) made.window = its->second;
    builder.points_of<Histogram>(state.resource, description, row.unit)
        .points.push_back(std::move(made));
    if (!row.counts_requests) continue;
    for (auto& metric : account_points(state.key, state.accounts, bare_point(state, window.end)))
      std::ranges::move(
          metric.points,
          std::back_inserter(
              builder.points_of<Sum>(state.resource, *metric.description, metric.unit).points));
  }
  return std::move(builder).batch();
}

CumulativeSeries::CountsOfMetrics CumulativeSeries::forget(const std::vector<SeriesUid>& expired) {
  CountsOfMetrics retired{};
  if (expired.empty()) return retired;
  for (const auto uid : expired) {
    const auto known = by_uid_.find(uid);
    if (known == by_uid_.end()) continue;
    const auto& state = series_[known->second];
    retired[static_cast<std::size_t>(state.key.kind)] += state.total.counted.count();
    by_uid_.erase(known);
  }
  std::erase_if(series_, [&](const State& state) { return !by_uid_.contains(state.uid); });
  for (std::size_t i = 0; i < series_.size(); ++i)
    by_uid_[series_[i].uid] = i;
  return retired;
}

}  // namespace exa
