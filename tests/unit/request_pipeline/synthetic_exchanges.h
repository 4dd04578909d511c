// Exchanges and targets for tests: what the tracker and the prober would send.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "exa/model/exchange.h"
#include "exa/model/target.h"

namespace exa::testing {

inline constexpr MonotonicTime kStart{1'000'000'000'000};

struct Request {
  std::uint32_t tgid = 100;
  Role role = Role::kServer;
  std::uint16_t status = 200;
  Duration at = std::chrono::seconds(1);  // its end, after kStart
  Duration duration = std::chrono::milliseconds(10);
  Duration queued = std::chrono::microseconds(200);
  std::uint32_t sequence = 1;
  std::uint16_t client_port = 40'000;
  const char* path = "/checkout";
};

inline Exchange exchange_of(const Request& request) {
  const IpEndpoint client{.address = {10, 0, 0, 1}, .port = request.client_port};
  const IpEndpoint server{.address = {10, 0, 0, 2}, .port = 80};
  const bool is_client = request.role == Role::kClient;
  Exchange exchange;
  exchange.socket = 7;
  exchange.tgid = request.tgid;
  exchange.local = is_client ? client : server;
  exchange.remote = is_client ? server : client;
  exchange.role = request.role;
  exchange.protocol_version = ProtocolVersion::k11;
  exchange.outcome = Outcome::kComplete;
  exchange.operation.method = Method::kGet;
  exchange.operation.status = request.status;
  exchange.request_sequence = request.sequence;
  exchange.last_response = kStart + request.at;
  exchange.read = {exchange.last_response.ns -
                   static_cast<std::uint64_t>(request.duration.count())};
  if (!is_client && request.queued.count() > 0)
    exchange.arrival = {exchange.read.ns - static_cast<std::uint64_t>(request.queued.count())};
  exchange.first_response = exchange.last_response;
  exchange.operation.name.assign(request.path);
  exchange.host.assign("shop.example");
  return exchange;
}

inline Exchange with_context(Exchange exchange, std::uint8_t trace, std::uint8_t flags) {
  exchange.has_context = true;
  exchange.trace_id.bytes[15] = trace;
  exchange.parent_span_id.bytes[7] = trace;
  exchange.trace_flags = flags;
  return exchange;
}

inline Target target_of(std::uint32_t tgid, std::string service, std::uint64_t start_time_ns = 1,
                        bool observed = true) {
  auto resource = std::make_shared<Resource>();
  resource->attributes.push_back({"service.name", service});
  return {.process = {.tgid = tgid, .start_time_ns = start_time_ns},
          .observed = observed,
          .service_name = std::move(service),
          .resource = std::move(resource)};
}

}  // namespace exa::testing
