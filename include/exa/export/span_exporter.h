// Where synthesised spans go.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "exa/base/result.h"
#include "exa/model/span.h"

namespace exa {

// What became of one batch. Only kAcknowledged lets the ids of these spans into a metric.
enum class SpanDelivery {
  kAcknowledged,  // the backend has every span of the batch
  kRefused,       // the backend refused some or all of them; which ones is not known
  kPending,       // not decided by the deadline; still queued for later attempts
  kDropped,       // lost here: queue full, expired or shut down
};

class SpanExporter {
 public:
  virtual ~SpanExporter() = default;
  // Window thread only. Takes the batch over, and waits for its fate until the deadline. Spans that
  // are pending then stay in the exporter's bounded queue.
  virtual SpanDelivery export_spans(std::vector<Span> batch,
                                    std::chrono::steady_clock::time_point deadline) = 0;
  // Tries to empty the queue until the deadline, then drops and counts what is left. Idempotent.
  virtual void shutdown(std::chrono::steady_clock::time_point deadline) = 0;
  // Any thread, for a gauge: spans that are not decided yet.
  [[nodiscard]] virtual std::size_t queued_spans() const { return 0; }
  // Any thread: whether fewer spans would be better. The backend puts them off, or since this was
  // last asked it has, or spans have filled half of the queue.
  [[nodiscard]] virtual bool take_pressure() { return false; }
};

}  // namespace exa
