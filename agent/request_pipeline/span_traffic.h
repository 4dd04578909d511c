// Whether a process sends spans of its own to a collector, as an SDK does: told by its requests.
// Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "exa/model/exchange.h"

namespace exa {

// Does the request carry spans? As OTLP's specification names it: a call, or a POST whose path ends
// so, whatever is before it.
inline bool carries_spans(const Exchange& exchange) {
  const auto name = exchange.operation.name.view();
  if (exchange.operation.convention == Convention::kRpc)
    return name.ends_with("opentelemetry.proto.collector.trace.v1.TraceService/Export");
  return exchange.operation.method == Method::kPost && name.ends_with("/v1/traces");
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
