#include "agent/request_pipeline/window_shares.h"

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "agent/semantics/path_template.h"
#include "agent/semantics/semantics.h"
#include "agent/semantics/server_name.h"
#include "agent/why/sentence.h"

namespace exa {
namespace {

std::string with_port(const std::string& address, std::uint16_t port) {
  if (port == 0) return address;
  const bool is_ipv6 = address.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

// Port 0: the socket under a TLS stream is not known, and nothing is said of it.
std::string peer_of(const Exchange& exchange) {
  if (exchange.role == Role::kClient) {
    ServerHost host;
    const auto port = name_server(exchange, host);
    if (!host.empty()) return with_port(std::string(host.view()), port);
  }
  if (exchange.local.port == 0) return {};
  return with_port(address_text(exchange.remote), exchange.remote.port);
}

SlowestRequest described(const Exchange& exchange, WallClockOffset offset) {
  return {.begin = offset.to_wall(exchange.read),
          .path = presentable_path(exchange.operation.name.view()),
          .route = semantics_of(exchange.operation.convention).route(exchange),
          .peer = peer_of(exchange),
          .why = why_sentence(exchange.account, exchange.duration()),
          .trace_id = {}};
}

}  // namespace

CumulativeSeries::SharesOfSeries window_shares(const ClosedWindow& window,
                                               const std::vector<bool>& acknowledged,
                                               bool spans_exported) {
  std::set<std::pair<TraceId, SpanId>> stored;
  for (std::size_t i = 0; i < window.spans.size(); ++i)
    if (acknowledged[i])
      stored.emplace(window.spans[i].exchange.trace_id, window.spans[i].exchange.span_id);

  CumulativeSeries::SharesOfSeries shares;
  for (const auto& series : window.series) {
    if (!row_of(series.key.kind).is_time) continue;  // the table tells durations
    auto share = std::make_shared<WindowShare>(WindowShare{.count = series.delta.count(),
                                                           .sum_ns = series.delta.sum,
                                                           .min_ns = series.delta.min,
                                                           .max_ns = series.delta.max,
                                                           .cells = {},
                                                           .slowest = std::nullopt});
    if (series.fine) {
      const auto& slowest = series.fine->slowest;
      share->cells = series.fine->cells;
      share->slowest = described(slowest, window.offset);
      const bool kept_upstream =
          !spans_exported && slowest.has_context && (slowest.trace_flags & kTraceSampled) != 0;
      if (kept_upstream || stored.contains({slowest.trace_id, slowest.span_id}))
        share->slowest->trace_id = slowest.trace_id;
    }
    shares.emplace(series.uid, std::move(share));
  }
  return shares;
}

}  // namespace exa
