#include "agent/request_pipeline/end_links.h"

#include <algorithm>
#include <utility>

#include "agent/trace/ids/id_generator.h"

namespace exa {
namespace {

// A context may be exchanged on the way by something that reads and writes at both ends of one
// connection; then it is another trace.
bool same_context(const Exchange& one, const Exchange& other) {
  return one.has_context == other.has_context && one.trace_id == other.trace_id &&
         one.parent_span_id == other.parent_span_id;
}

}  // namespace

SpanId EndLinks::client_end_of(const Exchange& server, const Spans& among) {
  const auto [first, last] = among.clients.equal_range(server.request_sequence);
  const auto client = std::find_if(first, last, [&](const auto& c) {
    return same_request(c.second, server) && same_context(c.second, server);
  });
  return client == last ? SpanId{} : client->second.span_id;
}

SpanId EndLinks::around(const Exchange& client, const Spans& among) {
  if (client.within == 0) return {};
  const auto server = among.servers.find(client.within);
  return server == among.servers.end() ? SpanId{} : server->second.span_id;
}

void EndLinks::link(std::vector<WindowSpan>& spans) {
  Spans now;
  for (const auto& span : spans) {
    const auto& exchange = span.exchange;
    if (span.skipped) continue;
    if (exchange.role == Role::kClient)
      now.clients.emplace(exchange.request_sequence, exchange);
    else if (exchange.role == Role::kServer)
      now.servers.emplace(exchange.number, exchange);
  }
  // Anything less than certain is no link.
  for (auto& [exchange, purpose, skipped] : spans) {
    if (skipped) continue;
    const bool server = exchange.role == Role::kServer;
    for (const auto* among : {&now, &before_}) {
      const auto parent = server ? client_end_of(exchange, *among) : around(exchange, *among);
      if (!parent.valid()) continue;
      purpose.parent = parent;
      purpose.link = server                 ? SpanLink::kConnection
                     : exchange.has_context ? SpanLink::kContext
                                            : SpanLink::kThread;
      break;
    }
  }
  before_ = std::move(now);
}

}  // namespace exa
