#include "exporters/queue/newest_metrics.h"

#include <algorithm>
#include <utility>

namespace exa {
namespace {

// Below this a 413 is a refusal: no backend that works takes so little.
constexpr std::size_t kSmallestLimit = 16u << 10;

constexpr BacklogWords kWords{.waits = "; the newest metrics are kept",
                              .again = "metrics are being delivered again",
                              .dropped = "; these metrics were dropped",
                              .too_large = {}};

}  // namespace

NewestMetricExporter::NewestMetricExporter(std::unique_ptr<Sender> sender, MetricEncoder encode,
                                           const QueueSettings& settings, ExportCounters& counters,
                                           LogSink log, Temporality temporality)
    : encode_(std::move(encode)),
      temporality_(temporality),
      counters_(counters),
      limit_bytes_(settings.request_bytes),
      loop_(*this, std::move(sender), kWords, settings, counters, std::move(log)) {}

void NewestMetricExporter::export_metrics(std::shared_ptr<const MetricBatch> batch) {
  {
    const auto lock = loop_.lock();
    if (loop_.closing()) return;
    // What is in flight may be the backend's already. What waits to be tried again may be, too; of
    // cumulative points that does no harm, so the newer batch takes its place, and its pause.
    if (!loop_.in_flight() && can_be_superseded()) {
      take(std::move(batch));
    } else {
      if (waiting_) counters_.add(ExportCounter::kMetricBatchesSuperseded);
      waiting_ = std::move(batch);
    }
  }
  loop_.wake();
}

void NewestMetricExporter::take(std::shared_ptr<const MetricBatch> batch) {
  if (current_) counters_.add(ExportCounter::kMetricBatchesSuperseded);
  current_ = std::move(batch);
  requests_.clear();
  next_request_ = 0;
  settled_points_ = 0;
  refused_points_ = 0;
  any_refused_ = any_arrived_ = false;
}

SendOutcome NewestMetricExporter::attempt(Sender& sender) {
  if (requests_.empty())
    requests_ = encode_({.batch = *current_,
                         .delivered = delivered_.get(),
                         .limit_bytes = limit_bytes_,
                         .skipped_points = settled_points_});
  if (requests_.empty()) return {.status = SendStatus::kDelivered};  // a batch without a point
  return sender.send(requests_[next_request_].request);
}

bool NewestMetricExporter::divide() {
  const EncodedMetrics& part = requests_[next_request_];
  if (part.request.size() <= kSmallestLimit || part.points <= 1) return false;
  // Learned for the batches to come too.
  limit_bytes_ = std::max(part.request.size() / 2, kSmallestLimit);
  requests_.clear();
  next_request_ = 0;
  return true;
}

void NewestMetricExporter::settle(Verdict verdict, std::uint64_t rejected) {
  const auto points = next_request_ < requests_.size() ? requests_[next_request_].points : 0;
  settled_points_ += points;
  any_refused_ = any_refused_ || verdict != Verdict::kDelivered;
  any_arrived_ = any_arrived_ || verdict != Verdict::kRefused;
  if (verdict == Verdict::kRefused)
    refused_points_ += points;
  else if (verdict == Verdict::kDelivered)
    counters_.add(ExportCounter::kMetricPointsRejected, std::min<std::uint64_t>(rejected, points));
  if (++next_request_ < requests_.size()) return;
  counters_.add(any_refused_ ? ExportCounter::kMetricBatchesRefused
                             : ExportCounter::kMetricBatchesSent);
  // What was refused as a whole is in the next difference; of a batch that arrived in part what was
  // refused is in none.
  if (any_arrived_ && temporality_ == Temporality::kDelta) {
    counters_.add(ExportCounter::kMetricPointsRejected, refused_points_);
    delivered_ = current_;
  }
  current_ = nullptr;
  requests_.clear();
}

void NewestMetricExporter::attempt_ended(bool paused) {
  if (waiting_ && (!current_ || (paused && can_be_superseded())))
    take(std::exchange(waiting_, nullptr));
}

void NewestMetricExporter::shutdown(std::chrono::steady_clock::time_point deadline) {
  loop_.finish(deadline);
}

}  // namespace exa
