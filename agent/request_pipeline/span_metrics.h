// Span metrics of all requests, as Grafana Tempo's metrics-generator names those that it makes of
// the spans it is sent: traces_spanmetrics_calls_total and traces_spanmetrics_latency. Ours count
// every request, and not only those whose spans are exported.
// Window thread only, owned by WindowPublisher. At most kMostSeries, divided among services; what
// finds no place counts in one of otel.metric.overflow.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "agent/request_pipeline/closed_window.h"
#include "agent/request_pipeline/cumulative_series.h"
#include "agent/request_pipeline/cumulative_total.h"
#include "agent/request_pipeline/shared_table.h"
#include "exa/model/metric.h"
#include "exa/model/span.h"

namespace exa {

class SpanMetrics {
 public:
  static constexpr std::size_t kMostSeries = 4000;

  void add(const ClosedWindow& window);
  // exemplars: of the window that was added last; each series shows its own's.
  [[nodiscard]] std::vector<Metric> points(
      const ClosedWindow& window, const CumulativeSeries::ExemplarsOfSeries& exemplars) const;

 private:
  // service, name of its spans, whether they are of servers, whether of errors; all empty:
  // overflow.
  using Identity = std::tuple<std::string, std::string, SpanKind, SpanStatus>;
  using Table = SharedTable<Identity, CumulativeTotal>;
  using Place = Table::Place;

  // Of places, whether a series counts there.
  [[nodiscard]] auto in_use() const;
  Place* place_of(Identity identity, WallTime start);
  [[nodiscard]] static Attributes attributes_of(const Identity& identity);

  Table table_{kMostSeries};
  std::unordered_map<SeriesUid, Place*> by_series_;
};

}  // namespace exa
