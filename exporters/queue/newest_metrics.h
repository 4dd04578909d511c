// Sends metric batches, always the newest: cumulative points supersede one another, so an outage
// costs neither memory nor a count.
// export_metrics on the window thread; one thread of its own encodes and sends. Budget: one batch
// waiting, one in flight.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "exa/export/export_counters.h"
#include "exa/export/metric_exporter.h"
#include "exporters/queue/backoff.h"
#include "exporters/queue/log_sink.h"
#include "exporters/queue/sender.h"
#include "exporters/queue/span_queue.h"

namespace exa {

struct EncodedMetrics {
  std::string request;
  std::size_t points = 0;
};
// Requests that together hold the batch, each within limit_bytes where its points allow.
using MetricEncoder =
    std::function<std::vector<EncodedMetrics>(const MetricBatch&, std::size_t limit_bytes)>;

class NewestMetricExporter final : public MetricExporter {
 public:
  // Uses request_bytes and the backoff bounds of the settings.
  NewestMetricExporter(std::unique_ptr<Sender> sender, MetricEncoder encode, QueueSettings settings,
                       ExportCounters& counters, LogSink log);
  ~NewestMetricExporter() override;
  NewestMetricExporter(const NewestMetricExporter&) = delete;
  NewestMetricExporter& operator=(const NewestMetricExporter&) = delete;

  void export_metrics(std::shared_ptr<const MetricBatch> batch) override;
  void shutdown(std::chrono::steady_clock::time_point deadline) override;

 private:
  using Clock = std::chrono::steady_clock;

  void run();
  // Sends what is left of requests_. True: the batch is decided.
  bool deliver(const MetricBatch& batch);
  void apply_delivered(const SendOutcome& outcome, std::size_t points);

  const std::unique_ptr<Sender> sender_;
  const MetricEncoder encode_;
  const QueueSettings settings_;
  ExportCounters& counters_;
  LimitedLog log_;

  // The sending thread's own.
  std::size_t limit_bytes_;
  std::vector<EncodedMetrics> requests_;
  std::size_t next_request_ = 0;
  bool any_refused_ = false;
  bool failing_ = false;
  Backoff backoff_;
  Clock::time_point next_attempt_{};
  bool last_attempt_made_ = false;  // at closing one more is made at once, whatever the pause was

  std::mutex mutex_;
  std::condition_variable work_;
  std::shared_ptr<const MetricBatch> waiting_;
  bool closing_ = false;
  Clock::time_point closing_deadline_{};
  std::thread thread_;
};

}  // namespace exa
