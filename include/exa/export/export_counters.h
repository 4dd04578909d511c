// Counters of the exporters, one row each; agent/telemetry publishes them beside its own.
// Identity: SPANS_QUEUED = SPANS_SENT + SPANS_REJECTED + all SPANS_DROPPED_* + spans still queued;
// of log records likewise.
//
// X(name, kind, metric, reason, sentence): kind is a CounterKind; the metric is
// exemplar_agent_export_<metric>_total{reason=...}.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

// clang-format off
#define EXA_EXPORT_COUNTERS(X)                                                                     \
  X(kSpansQueued, kFlow, spans_queued, "", "spans handed to a span exporter")                      \
  X(kSpansSent, kFlow, spans_sent, "", "spans acknowledged by the backend")                        \
  X(kSpansRejected, kLoss, spans_rejected, partial_success, "spans the backend rejected")          \
  X(kSpansDroppedQueueFull, kLoss, spans_dropped, queue_full, "oldest spans dropped: queue full")  \
  X(kSpansDroppedRefused, kLoss, spans_dropped, refused, "spans in a batch the backend refused for good") \
  X(kSpansDroppedExpired, kLoss, spans_dropped, expired, "spans retried for too long")             \
  X(kSpansDroppedShutdown, kLoss, spans_dropped, shutdown, "spans not delivered by shutdown")      \
  X(kRecordsQueued, kFlow, log_records_queued, "", "log records handed to an exporter")             \
  X(kRecordsSent, kFlow, log_records_sent, "", "log records acknowledged by the backend")          \
  X(kRecordsRejected, kLoss, log_records_rejected, partial_success, "log records the backend rejected") \
  X(kRecordsDroppedQueueFull, kLoss, log_records_dropped, queue_full, "oldest log records dropped: queue full") \
  X(kRecordsDroppedRefused, kLoss, log_records_dropped, refused, "log records in a batch the backend refused for good") \
  X(kRecordsDroppedExpired, kLoss, log_records_dropped, expired, "log records retried for too long") \
  X(kRecordsDroppedShutdown, kLoss, log_records_dropped, shutdown, "log records not delivered by shutdown") \
  X(kMetricBatchesSent, kFlow, metric_batches_sent, "", "metric batches acknowledged")             \
  X(kMetricBatchesSuperseded, kDegraded, metric_batches_dropped, superseded, "metric batches replaced by a newer one") \
  X(kMetricBatchesRefused, kLoss, metric_batches_dropped, refused, "metric batches the backend refused for good") \
  X(kMetricPointsRejected, kLoss, metric_points_rejected, partial_success, "points the backend rejected") \
  X(kAttemptsRetried, kFlow, attempts, retry, "export attempts that will be retried")              \
  X(kAttemptsFailed, kDegraded, attempts, failed, "export attempts that failed for good")          \
  X(kOutputLost, kLoss, output_dropped, stalled, "prints lost: standard output is not being read") \
  X(kOutputSuperseded, kDegraded, output_dropped, superseded, "tables replaced by a newer one")    \
  X(kScrapes, kFlow, scrapes, "", "scrapes of the metrics endpoint answered")                      \
  X(kExemplarsOmitted, kFlow, exemplars_omitted, text_format, "exemplars a scrape could not carry") \
  X(kExemplarsReplaced, kDegraded, exemplars_omitted, replaced, "exemplars replaced by a better one before a scrape") \
  X(kExemplarsExpired, kDegraded, exemplars_omitted, expired, "exemplars not scraped before they were too old") \
  X(kExemplarsSeriesFull, kDegraded, exemplars_omitted, series_full, "exemplars evicted before a scrape: too many of their series") \
  X(kExemplarsStoreFull, kDegraded, exemplars_omitted, store_full, "exemplars evicted before a scrape: too many in all")
// clang-format on

namespace exa {

enum class ExportCounter : std::size_t {
#define EXA_X(name, kind, metric, reason, sentence) name,
  EXA_EXPORT_COUNTERS(EXA_X)
#undef EXA_X
      kCount
};

// Any thread. Owned by the composing layer, which outlives every exporter.
class ExportCounters {
 public:
  void add(ExportCounter counter, std::uint64_t by = 1) {
    values_[static_cast<std::size_t>(counter)].fetch_add(by, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t get(ExportCounter counter) const {
    return values_[static_cast<std::size_t>(counter)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(ExportCounter::kCount)> values_{};
};

}  // namespace exa
