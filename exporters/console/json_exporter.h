// JSON, one object a line: {"type":"span"...}, {"type":"window"...}, {"type":"histogram"...},
// {"type":"sum"...}.
// Window thread only. Deterministic: the same batches give the same bytes; self metrics (monotonic
// sums and gauges), which depend on the machine, are left out. Invalid UTF-8 becomes U+FFFD.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include "exa/export/export_counters.h"
#include "exa/export/metric_exporter.h"
#include "exa/export/span_exporter.h"
#include "exporters/console/line_output.h"

namespace exa {

// Pure, with the line end.
std::string span_json(const Span& span);
std::string batch_json(const MetricBatch& batch);  // the window's line, then its points

class JsonMetricExporter final : public MetricExporter {
 public:
  explicit JsonMetricExporter(std::shared_ptr<LineOutput> output) : output_(std::move(output)) {}
  void export_metrics(std::shared_ptr<const MetricBatch> batch) override;
  void shutdown(std::chrono::steady_clock::time_point deadline) override {
    output_->shutdown(deadline);
  }

 private:
  const std::shared_ptr<LineOutput> output_;
};

// A batch is acknowledged once its lines are written; those that wait for a reader are pending.
// The metrics' exporter ends the output, since it prints last.
class JsonSpanExporter final : public SpanExporter {
 public:
  // counters: null where another exporter of the same spans counts them.
  JsonSpanExporter(std::shared_ptr<LineOutput> output, ExportCounters* counters)
      : output_(std::move(output)), counters_(counters) {}
  SpanDelivery export_spans(std::vector<Span> batch,
                            std::chrono::steady_clock::time_point deadline) override;
  void shutdown(std::chrono::steady_clock::time_point) override {}
  [[nodiscard]] std::size_t queued_spans() const override;

 private:
  const std::shared_ptr<LineOutput> output_;
  ExportCounters* const counters_;
  std::shared_ptr<std::atomic<std::size_t>> waiting_ =
      std::make_shared<std::atomic<std::size_t>>(0);  // spans; the output's, too
};

}  // namespace exa
