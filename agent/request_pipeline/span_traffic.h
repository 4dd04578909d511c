// Whether a process sends spans of its own to a collector, as an SDK does: told by its requests.
// Pure.
#pragma once

#include "agent/semantics/semantics.h"
#include "exa/model/exchange.h"

namespace exa {

inline bool carries_spans(const Exchange& exchange) {
  const auto carries = semantics_of(exchange.operation.convention).carries_spans;
  return carries != nullptr && carries(exchange);
}

// What is known of one process.
struct SpanTraffic {
  bool sends = false;
  bool receives = false;

  void note(const Exchange& exchange) {
    if (!carries_spans(exchange)) return;
    (exchange.role == Role::kClient ? sends : receives) = true;
  }
  // A collector passes on what others made.
  [[nodiscard]] bool of_sdk() const { return sends && !receives; }
};

}  // namespace exa
