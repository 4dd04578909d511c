#include "agent/request_pipeline/end_links.h"

#include <algorithm>
#include <utility>

#include "agent/trace/id_generator.h"

namespace exa {
namespace {

SpanId client_end_of(const Exchange& server,
                     const std::unordered_multimap<std::uint32_t, Exchange>& clients) {
  const auto [first, last] = clients.equal_range(server.request_sequence);
  const auto client =
      std::find_if(first, last, [&](const auto& c) { return same_request(c.second, server); });
  return client == last ? SpanId{} : client->second.span_id;
}

}  // namespace

void EndLinks::link(std::vector<WindowSpan>& spans) {
  Clients now;
  for (const auto& span : spans)
    if (span.exchange.role == Role::kClient)
      now.emplace(span.exchange.request_sequence, span.exchange);
  for (auto& span : spans) {
    auto& server = span.exchange;
    // A caller's own context names the parent. Anything less than certain is no link.
    if (server.role != Role::kServer || server.has_context) continue;
    server.parent_span_id = client_end_of(server, now);
    if (!server.parent_span_id.valid()) server.parent_span_id = client_end_of(server, before_);
  }
  before_ = std::move(now);
}

}  // namespace exa
