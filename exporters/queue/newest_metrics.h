// Sends metric batches, always the newest: cumulative points supersede one another, so an outage
// costs no memory, and no count of a series that is still there after it. Where differences are
// sent they are to the batch that was delivered last, so that then, too, what is superseded is in
// the next. But a difference that was sent once may have arrived, whatever became of its answer:
// it is sent again as it was until its fate is known, and the newer one waits.
// export_metrics on the window thread; a sending loop of its own encodes and sends. Budget: one
// batch in flight or to be tried again, one waiting, and the one that was delivered last.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "exa/export/export_counters.h"
#include "exa/export/metric_exporter.h"
#include "exa/model/temporality.h"
#include "exporters/queue/sending_loop.h"

namespace exa {

struct EncodedMetrics {
  std::string request;
  std::size_t points = 0;
};
// Requests that together hold the batch, each within limit_bytes where its points allow.
struct MetricsToEncode {
  const MetricBatch& batch;
  const MetricBatch* delivered = nullptr;  // the last that was, as a whole or in part
  std::size_t limit_bytes = 0;
  std::size_t skipped_points = 0;  // the first ones, whose fate is known
};
using MetricEncoder = std::function<std::vector<EncodedMetrics>(const MetricsToEncode&)>;

class NewestMetricExporter final : public MetricExporter, private Backlog {
 public:
  // Uses request_bytes and the backoff bounds of the settings. temporality: of what is encoded; of
  // differences each must arrive once.
  NewestMetricExporter(std::unique_ptr<Sender> sender, MetricEncoder encode,
                       const QueueSettings& settings, ExportCounters& counters, LogSink log,
                       Temporality temporality = Temporality::kCumulative);

  void export_metrics(std::shared_ptr<const MetricBatch> batch) override;
  void shutdown(std::chrono::steady_clock::time_point deadline) override;

 private:
  [[nodiscard]] bool empty() const override { return current_ == nullptr; }
  SendOutcome attempt(Sender& sender) override;
  [[nodiscard]] bool divide() override;
  void settle(Verdict verdict, std::uint64_t rejected) override;
  void attempt_ended(bool paused) override;
  void take(std::shared_ptr<const MetricBatch> batch);
  // A difference is until it is encoded to be sent: from then on it may be the backend's, and a
  // newer one to the same baseline would hold its counts again. So, too, if a part of it arrived.
  [[nodiscard]] bool can_be_superseded() const {
    return temporality_ == Temporality::kCumulative || !current_ ||
           (requests_.empty() && !any_arrived_);
  }

  const MetricEncoder encode_;
  const Temporality temporality_;
  ExportCounters& counters_;

  // Guarded by the loop's lock; current_ and its requests are the loop's alone while in flight.
  std::shared_ptr<const MetricBatch> waiting_;
  std::shared_ptr<const MetricBatch> current_;
  std::shared_ptr<const MetricBatch> delivered_;  // where differences are sent: their baseline
  std::vector<EncodedMetrics>
      requests_;  // of current_, what is not settled; empty: not encoded yet
  std::size_t next_request_ = 0;
  std::size_t settled_points_ = 0;    // of current_
  std::uint64_t refused_points_ = 0;  // of current_, for certain
  bool any_refused_ = false;
  bool any_arrived_ = false;  // or may have, and is not sent again
  std::size_t limit_bytes_;
  SendingLoop loop_;  // the last: its thread uses the others
};

}  // namespace exa
