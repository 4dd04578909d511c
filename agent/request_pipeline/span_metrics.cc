#include "agent/request_pipeline/span_metrics.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "agent/metrics/metric_table.h"
#include "agent/semantics/semantics.h"

namespace exa {
namespace {

std::string span_name_of(const SeriesKey& key, const ClosedWindow& window) {
  return semantics_of(key.convention).series_span_name(key, window.texts_of(key));
}

bool is_latest(const Exemplar& a, const Exemplar& b) {
  return a.time < b.time;
}

}  // namespace

auto SpanMetrics::in_use() const {
  return [this] {
    std::set<const Place*> referred;
    for (const auto& [uid, place] : by_series_)
      referred.insert(place);
    return
        [referred = std::move(referred)](const Place& place) { return referred.contains(&place); };
  };
}

SpanMetrics::Place* SpanMetrics::place_of(Identity identity, WallTime start) {
  const auto [place, is_new] = table_.place(std::move(identity), in_use());
  if (is_new) place->second.total.start = start;
  return place;
}

void SpanMetrics::add(const ClosedWindow& window) {
  table_.begin_window();
  for (const auto& series : window.series) {
    const auto& row = row_of(series.key.kind);
    if (!row.counts_requests) continue;
    auto [place, is_new] = by_series_.try_emplace(series.uid, nullptr);
    if (is_new && series.key.overflow) {
      place->second = place_of({}, window.start);
    } else if (is_new) {
      const bool failed = series.key.error != ErrorType::kNone;
      place->second =
          place_of({service_of(window, series.key.target), span_name_of(series.key, window),
                    row.end == Role::kClient ? SpanKind::kClient : SpanKind::kServer,
                    failed ? SpanStatus::kError : SpanStatus::kUnset},
                   window.start);
    }
    place->second->second.total.add(series.delta);
    table_.touch(*place->second);
  }
  for (const auto expired : window.expired)
    by_series_.erase(expired);
  table_.end_window(in_use());
}

Attributes SpanMetrics::attributes_of(const Identity& identity) {
  if (identity == Identity{}) return {{"otel.metric.overflow", true}};
  const auto& [service, name, kind, status] = identity;
  return {{"service", service},
          {"span_name", name},
          {"span_kind",
           std::string(kind == SpanKind::kClient ? "SPAN_KIND_CLIENT" : "SPAN_KIND_SERVER")},
          {"status_code",
           std::string(status == SpanStatus::kError ? "STATUS_CODE_ERROR" : "STATUS_CODE_UNSET")}};
}

std::vector<Metric> SpanMetrics::points(
    const ClosedWindow& window, const CumulativeSeries::ExemplarsOfSeries& exemplars) const {
  std::unordered_map<const Place*, std::vector<Exemplar>> by_place;
  for (const auto& [uid, chosen] : exemplars)
    if (const auto place = by_series_.find(uid); place != by_series_.end())
      std::ranges::copy(chosen, std::back_inserter(by_place[place->second]));
  Sum calls;
  Histogram latencies;
  for (const auto& place : table_.places()) {
    const auto attributes = attributes_of(place.first);
    auto calls_point = place.second.total.number_point(attributes, window.end);
    auto latency = place.second.total.histogram_point(attributes, window.end,
                                                      row_of(MetricKind::kServerDuration).bounds());
    if (const auto chosen = by_place.find(&place); chosen != by_place.end()) {
      latency.exemplars = chosen->second;
      std::ranges::stable_sort(latency.exemplars, {}, &Exemplar::value);
      // A counter shows the latest one, which added one to it.
      calls_point.exemplars.push_back(*std::ranges::max_element(chosen->second, is_latest));
      calls_point.exemplars.back().value = 1;
    }
    calls.points.push_back(std::move(calls_point));
    latencies.points.push_back(std::move(latency));
  }
  if (table_.places().empty()) return {};
  return {{.name = "traces_spanmetrics_calls",
           .description = "Calls, by service and name of their spans.",
           .unit = "",
           .points = std::move(calls)},
          {.name = "traces_spanmetrics_latency",
           .description = "Duration of calls in seconds, by service and name of their spans.",
           .unit = "",
           .points = std::move(latencies)}};
}

}  // namespace exa
