// Sends metric batches, always the newest: cumulative points supersede one another, so an outage
// costs neither memory nor a count.
// export_metrics on the window thread; a sending loop of its own encodes and sends. Budget: one
// batch in flight or to be tried again, one waiting.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "exa/export/export_counters.h"
#include "exa/export/metric_exporter.h"
#include "exporters/queue/sending_loop.h"

namespace exa {

struct EncodedMetrics {
  std::string request;
  std::size_t points = 0;
};
// Requests that together hold the batch, each within limit_bytes where its points allow.
using MetricEncoder =
    std::function<std::vector<EncodedMetrics>(const MetricBatch&, std::size_t limit_bytes)>;

class NewestMetricExporter final : public MetricExporter, private Backlog {
 public:
  // Uses request_bytes and the backoff bounds of the settings.
  NewestMetricExporter(std::unique_ptr<Sender> sender, MetricEncoder encode,
                       const QueueSettings& settings, ExportCounters& counters, LogSink log);

  void export_metrics(std::shared_ptr<const MetricBatch> batch) override;
  void shutdown(std::chrono::steady_clock::time_point deadline) override;

 private:
  [[nodiscard]] bool empty() const override { return current_ == nullptr; }
  SendOutcome attempt(Sender& sender) override;
  [[nodiscard]] bool divide() override;
  void settle(Verdict verdict, std::uint64_t rejected) override;
  void attempt_ended(bool paused) override;
  void take(std::shared_ptr<const MetricBatch> batch);

  const MetricEncoder encode_;
  ExportCounters& counters_;

  // Guarded by the loop's lock; current_ and its requests are the loop's alone while in flight.
  std::shared_ptr<const MetricBatch> waiting_;
  std::shared_ptr<const MetricBatch> current_;
  std::vector<EncodedMetrics> requests_;  // of current_; empty: not encoded yet
  std::size_t next_request_ = 0;
  bool any_refused_ = false;
  std::size_t limit_bytes_;
  SendingLoop loop_;  // the last: its thread uses the others
};

}  // namespace exa
