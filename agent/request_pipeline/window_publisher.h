// Publishes closed windows in the one order that keeps the promise: spans first, and only what the
// backend acknowledged lets its ids into the metrics.
// Window thread only, owned by the composing layer. May wait for acknowledgements, for all of a
// window at most ack_deadline; the metrics then go out in any case.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/request_pipeline/closed_window.h"
#include "agent/request_pipeline/cumulative_series.h"
#include "agent/request_pipeline/service_graph.h"
#include "agent/request_pipeline/span_metrics.h"
#include "agent/telemetry/counters.h"
#include "exa/export/metric_exporter.h"
#include "exa/export/span_exporter.h"

namespace exa {

struct PublisherOptions {
  std::chrono::milliseconds ack_deadline{3000};
  std::size_t exemplar_spans_per_batch = 16;  // a refused batch costs so many exemplars their ids
  std::size_t other_spans_per_batch = 256;
  bool span_metrics = false;
  bool service_graph = false;
  std::shared_ptr<const Resource> agent = {};  // whose span metrics and service graph they are
};

class WindowPublisher {
 public:
  // With several span exporters a span counts as stored where all of them acknowledged it. With
  // none, and of a request whose span is skipped, ids go out only where somebody else's tracing
  // sampled it: those of the context that the request carried.
  WindowPublisher(const PublisherOptions& options, Counters& counters,
                  std::vector<SpanExporter*> span_exporters,
                  std::vector<MetricExporter*> metric_exporters,
                  std::vector<SpanExporter*> record_exporters = {});

  // extra: metrics of the agent itself, appended to the batch. Which of the window's spans are
  // stored for certain.
  std::vector<bool> publish(const ClosedWindow& window, std::vector<ResourceMetrics> extra = {});

 private:
  using Deadline = std::chrono::steady_clock::time_point;
  void count_retired(const CumulativeSeries::CountsOfMetrics& retired);
  [[nodiscard]] std::vector<bool> export_spans(const ClosedWindow& window);
  using GrowthOfSpan = std::map<std::size_t, std::string>;  // by its place in ClosedWindow::spans
  bool deliver(const ClosedWindow& window, const GrowthOfSpan& growths,
               const std::vector<std::size_t>& which, Deadline deadline);
  struct Ids {
    TraceId trace;
    SpanId span;
  };
  [[nodiscard]] Ids ids_of(const WindowSpan& span, bool acknowledged) const;
  void export_records(const ClosedWindow& window, const std::vector<bool>& acknowledged);
  [[nodiscard]] CumulativeSeries::ExemplarsOfSeries exemplars_of(
      const ClosedWindow& window, const std::vector<bool>& acknowledged);

  PublisherOptions options_;
  Counters& counters_;
  std::vector<SpanExporter*> span_exporters_;
  std::vector<MetricExporter*> metric_exporters_;
  std::vector<SpanExporter*> record_exporters_;
  CumulativeSeries series_;
  SpanMetrics span_metrics_;
  ServiceGraph service_graph_;
};

}  // namespace exa
