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

static_assert(kUnknownBytes == kUnmeasured);
std::uint64_t request_size(const Exchange& exchange) {
  return exchange.request_body_bytes;
}
std::uint64_t response_size(const Exchange& exchange) {
  return exchange.response_body_bytes;
}

std::uint64_t one(const Exchange& /*open*/) {
  return 1;
}

constexpr std::array<MetricRow, kMetricKinds> kRows = {{
    {.kind = MetricKind::kServerDuration,
     .shape = MetricShape::kHistogram,
     .group = MetricGroup::kAlways,
     .end = Role::kServer,
     .is_time = true,
     .counts_requests = true,
     .unit = "s",
     .bounds = request_duration_bounds,
     .value = duration,
     .unknown = Counter::kExchangesUnmeasured,
     .retired = Counter::kRetiredServer},
    {.kind = MetricKind::kClientDuration,
     .shape = MetricShape::kHistogram,
     .group = MetricGroup::kAlways,
     .end = Role::kClient,
     .is_time = true,
     .counts_requests = true,
     .unit = "s",
     .bounds = request_duration_bounds,
     .value = duration,
     .unknown = Counter::kExchangesUnmeasured,
     .retired = Counter::kRetiredClient},
    {.kind = MetricKind::kServerQueue,
     .shape = MetricShape::kHistogram,
     .group = MetricGroup::kAlways,
     .end = Role::kServer,
     .is_time = true,
     .counts_requests = false,
     .unit = "s",
     .bounds = queue_duration_bounds,
     .value = queue_time,
     .unknown = Counter::kQueueTimeUnknown,
     .retired = Counter::kQueueTimeRetired},
    {.kind = MetricKind::kServerRequestSize,
     .shape = MetricShape::kHistogram,
     .group = MetricGroup::kBodySize,
     .end = Role::kServer,
     .is_time = false,
     .counts_requests = false,
     .unit = "By",
     .bounds = body_size_bounds,
     .value = request_size,
     .unknown = Counter::kRequestSizeUnknown,
     .retired = Counter::kRequestSizeRetired},
    {.kind = MetricKind::kServerResponseSize,
     .shape = MetricShape::kHistogram,
     .group = MetricGroup::kBodySize,
     .end = Role::kServer,
     .is_time = false,
     .counts_requests = false,
     .unit = "By",
     .bounds = body_size_bounds,
     .value = response_size,
     .unknown = Counter::kResponseSizeUnknown,
     .retired = Counter::kResponseSizeRetired},
    {.kind = MetricKind::kServerActive,
     .shape = MetricShape::kUpDownCounter,
     .group = MetricGroup::kActiveRequests,
     .end = Role::kServer,
     .is_time = false,
     .counts_requests = false,
     .unit = "{request}",
     .bounds = no_bounds,
     .value = one,
     .unknown = std::nullopt,
     .retired = std::nullopt},
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
