#include "exporters/queue/newest_metrics.h"

#include <algorithm>
#include <utility>

#include "exporters/queue/exporter_thread.h"

namespace exa {
namespace {

// Below this a 413 is a refusal: no backend that works takes so little.
constexpr std::size_t kSmallestLimit = 16u << 10;

}  // namespace

NewestMetricExporter::NewestMetricExporter(std::unique_ptr<Sender> sender, MetricEncoder encode,
                                           QueueSettings settings, ExportCounters& counters,
                                           LogSink log)
    : sender_(std::move(sender)),
      encode_(std::move(encode)),
      settings_(settings),
      counters_(counters),
      log_(std::move(log)),
      limit_bytes_(settings.request_bytes),
      backoff_(settings.shortest_backoff, settings.longest_backoff,
               static_cast<std::uint64_t>(Clock::now().time_since_epoch().count())),
      thread_(start_exporter_thread([this] { run(); })) {}

NewestMetricExporter::~NewestMetricExporter() {
  shutdown(Clock::now());
}

void NewestMetricExporter::export_metrics(std::shared_ptr<const MetricBatch> batch) {
  {
    const std::lock_guard lock(mutex_);
    if (closing_) return;
    if (waiting_) counters_.add(ExportCounter::kMetricBatchesSuperseded);
    waiting_ = std::move(batch);
  }
  work_.notify_one();
}

void NewestMetricExporter::run() {
  std::shared_ptr<const MetricBatch> current;
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto now = Clock::now();
    if (waiting_) {
      if (current) counters_.add(ExportCounter::kMetricBatchesSuperseded);
      current = std::exchange(waiting_, nullptr);
      requests_.clear();
    }
    if (closing_ && (!current || now >= closing_deadline_)) break;
    if (!current) {
      work_.wait(lock, [&] { return closing_ || waiting_; });
      continue;
    }
    if (closing_ && !std::exchange(last_attempt_made_, true)) next_attempt_ = now;
    if (failing_ && now < next_attempt_) {
      // A newer batch takes the place of the waiting one, and shares its pause.
      const auto until = closing_ ? std::min(next_attempt_, closing_deadline_) : next_attempt_;
      const bool was_closing = closing_;
      work_.wait_until(lock, until, [&] { return waiting_ || closing_ != was_closing; });
      continue;
    }
    lock.unlock();
    const bool decided = deliver(*current);
    lock.lock();
    if (decided) current = nullptr;
  }
}

bool NewestMetricExporter::deliver(const MetricBatch& batch) {
  if (requests_.empty()) {
    requests_ = encode_(batch, limit_bytes_);
    next_request_ = 0;
    any_refused_ = false;
  }
  while (next_request_ < requests_.size()) {
    const EncodedMetrics& part = requests_[next_request_];
    const SendOutcome outcome = sender_->send(part.request);
    switch (outcome.status) {
      case SendStatus::kDelivered:
        apply_delivered(outcome, part.points);
        break;
      case SendStatus::kRetry: {
        counters_.add(ExportCounter::kAttemptsRetried);
        failing_ = true;
        next_attempt_ = Clock::now() +
                        std::max<std::chrono::milliseconds>(
                            backoff_.next(), outcome.retry_after.value_or(std::chrono::seconds(0)));
        log_.say(outcome.trouble == SendTrouble::kUnreachable ? LogCause::kUnreachable
                                                              : LogCause::kRetryStatus,
                 LogLevel::kWarning, outcome.text + "; the newest metrics are kept");
        return false;
      }
      case SendStatus::kTooLarge:
        if (part.request.size() > kSmallestLimit && part.points > 1) {
          // Learned for the batches to come too. What has been delivered is sent again: cumulative
          // points with the same time change nothing.
          counters_.add(ExportCounter::kAttemptsRetried);
          limit_bytes_ = std::max(part.request.size() / 2, kSmallestLimit);
          requests_ = encode_(batch, limit_bytes_);
          next_request_ = 0;
          continue;
        }
        [[fallthrough]];
      case SendStatus::kRefused:
        counters_.add(ExportCounter::kAttemptsFailed);
        any_refused_ = true;
        failing_ = false;
        backoff_.reset();
        log_.say(
            outcome.trouble == SendTrouble::kBadReply ? LogCause::kBadReply : LogCause::kRefused,
            LogLevel::kError, outcome.text + "; these metrics were dropped");
        break;
    }
    ++next_request_;
  }
  requests_.clear();
  counters_.add(any_refused_ ? ExportCounter::kMetricBatchesRefused
                             : ExportCounter::kMetricBatchesSent);
  return true;
}

void NewestMetricExporter::apply_delivered(const SendOutcome& outcome, std::size_t points) {
  if (failing_) log_.say(LogCause::kRecovered, LogLevel::kInfo, "metrics are delivered again");
  failing_ = false;
  backoff_.reset();
  counters_.add(ExportCounter::kMetricPointsRejected,
                std::min<std::uint64_t>(outcome.rejected, points));
  if (!outcome.text.empty()) log_.say(LogCause::kRejected, LogLevel::kWarning, outcome.text);
}

void NewestMetricExporter::shutdown(Clock::time_point deadline) {
  {
    const std::lock_guard lock(mutex_);
    if (!closing_) {
      closing_ = true;
      closing_deadline_ = deadline;
    }
  }
  work_.notify_all();
  sender_->finish_by(deadline);
  if (thread_.joinable()) thread_.join();
}

}  // namespace exa
