// What exchanges are measured by, in one table: a row a metric, whatever its unit. What a metric is
// called, and what its points carry, says the convention of the exchange. Immutable; any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "agent/metrics/bounds.h"
#include "agent/semantics/semantics.h"
#include "agent/telemetry/counters.h"
#include "exa/model/exchange.h"

namespace exa {

inline constexpr std::uint64_t kUnmeasured = std::numeric_limits<std::uint64_t>::max();

struct MetricRow {
  MetricKind kind;
  Role end;       // at which it is measured
  bool optional;  // recorded only where it was asked for
  bool is_time;
  bool counts_requests;  // durations of requests: every exchange that is recorded has one
  const char* unit;      // UCUM
  const Bounds& (*bounds)();
  // In the bounds' scale; kUnmeasured where the exchange does not tell it.
  std::uint64_t (*value)(const Exchange& exchange);
  Counter unknown;  // exchanges that did not tell it
  Counter retired;  // those counted in series that were dropped since
};

// By MetricKind.
std::span<const MetricRow> metric_rows();

inline const MetricRow& row_of(MetricKind kind) {
  return metric_rows()[static_cast<std::size_t>(kind)];
}

}  // namespace exa
