// What exchanges are measured by, in one table: a row a metric, whatever its unit. What a metric is
// called, and what its points carry, says the convention of the exchange. Immutable; any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "agent/metrics/bounds.h"
#include "agent/semantics/semantics.h"
#include "agent/telemetry/counters.h"
#include "exa/model/exchange.h"

namespace exa {

inline constexpr std::uint64_t kUnmeasured = std::numeric_limits<std::uint64_t>::max();

enum class MetricShape : std::uint8_t {
  kHistogram,      // of each exchange, when it has ended
  kUpDownCounter,  // of those that are open when the window closes
};

// The settings that ask for metrics; those of kAlways nobody need ask for.
enum class MetricGroup : std::uint8_t { kAlways, kBodySize, kActiveRequests };

struct MetricRow {
  MetricKind kind;
  MetricShape shape;
  MetricGroup group;
  Role end;  // at which it is measured
  bool is_time;
  bool counts_requests;  // durations of requests: every exchange that is recorded has one
  const char* unit;      // UCUM
  const Bounds& (*bounds)();
  // In the bounds' scale; kUnmeasured where the exchange does not tell it.
  std::uint64_t (*value)(const Exchange& exchange);
  // Of histograms: exchanges that did not tell it, and those counted in series dropped since.
  std::optional<Counter> unknown;
  std::optional<Counter> retired;
};

// By MetricKind.
std::span<const MetricRow> metric_rows();

inline const MetricRow& row_of(MetricKind kind) {
  return metric_rows()[static_cast<std::size_t>(kind)];
}

// Each window tells it anew; nothing adds up.
inline bool counts_open_requests(MetricKind kind) {
  return row_of(kind).shape == MetricShape::kUpDownCounter;
}

}  // namespace exa
