#include "agent/metrics/metric_table.h"

#include <array>

namespace exa {
namespace {

std::uint64_t duration(const Exchange& exchange) {
  return static_cast<std::uint64_t>(exchange.duration().count());
}

std::uint64_t queue_time(const Exchange& exchange) {
  if (!exchange.arrival.known()) return kUnmeasured;
  return static_cast<std::uint64_t>(elapsed(exchange.arrival, exchange.read).count());
}

constexpr std::array<MetricRow, kMetricKinds> kRows = {{
    {.kind = MetricKind::kServerDuration,
     .end = Role::kServer,
     .counts_requests = true,
     .unit = "s",
     .bounds = http_duration_bounds,
     .value = duration,
     .unknown = Counter::kExchangesUnmeasured,
     .retired = Counter::kRetiredServer},
    {.kind = MetricKind::kClientDuration,
     .end = Role::kClient,
     .counts_requests = true,
     .unit = "s",
     .bounds = http_duration_bounds,
     .value = duration,
     .unknown = Counter::kExchangesUnmeasured,
     .retired = Counter::kRetiredClient},
    {.kind = MetricKind::kServerQueue,
     .end = Role::kServer,
     .counts_requests = false,
     .unit = "s",
     .bounds = queue_duration_bounds,
     .value = queue_time,
     .unknown = Counter::kQueueTimeUnknown,
     .retired = Counter::kQueueTimeRetired},
}};

constexpr bool in_order() {
  for (std::size_t kind = 0; kind < kRows.size(); ++kind)
    if (kRows[kind].kind != static_cast<MetricKind>(kind)) return false;
  return true;
}
static_assert(in_order());

}  // namespace

std::span<const MetricRow> metric_rows() {
  return kRows;
}

}  // namespace exa
