#include "agent/request_pipeline/told_request.h"

#include <string>

#include "agent/semantics/semantics.h"
#include "agent/semantics/server_name.h"
#include "agent/why/sentence.h"
#include "exa/model/address.h"

namespace exa {
namespace {

std::string with_port(const std::string& host, std::uint16_t port) {
  return port == 0 ? host : host_port_text(host, port);
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

}  // namespace

SlowestRequest described(const Exchange& exchange, WallClockOffset offset) {
  const auto& semantics = semantics_of(exchange.operation.convention);
  return {.begin = offset.to_wall(exchange.read),
          .path = semantics.presentable(exchange),
          .route = semantics.route(exchange),
          .peer = peer_of(exchange),
          .why = why_sentence(exchange.account, exchange.duration(), exchange.queued()),
          .trace_id = {}};
}

}  // namespace exa
