#include "agent/trace/ids/trace_ids.h"

#include <cstring>

namespace exa {

// Ours are hashes: any of their bytes will do.
std::size_t TraceIds::place_of(const TraceId& made) {
  std::uint32_t hash = 0;
  std::memcpy(&hash, made.bytes.data(), sizeof hash);
  return hash % kPlaces;
}

void TraceIds::begin(Exchange& server) {
  if (!parts_.empty() && !server.has_context && has_place_on_the_wire(server)) name(server);
}

bool TraceIds::make_part(Exchange& client, Exchange& server) {
  if (!has_place_on_the_wire(client)) return false;
  if (!server.has_context && !has_place_on_the_wire(server)) return false;
  name(server);
  server.trace_settled = true;  // what the next ones are told
  made_.name(client);
  if (parts_.empty()) parts_.resize(kPlaces);
  parts_[place_of(client.trace_id)] = {.made = client.trace_id,
                                       .trace_id = server.trace_id,
                                       .randomness = server.randomness,
                                       .trace_flags = server.trace_flags,
                                       .has_incoming_rv = server.has_incoming_rv};
  name(client);
  return true;
}

void TraceIds::name(Exchange& exchange) {
  if (exchange.trace_settled) return;
  made_.name(exchange);
  if (exchange.has_context || parts_.empty()) return;
  const auto& part = parts_[place_of(exchange.trace_id)];
  if (part.made != exchange.trace_id) return;
  exchange.trace_id = part.trace_id;
  exchange.randomness = part.randomness;
  exchange.trace_flags = part.trace_flags;
  exchange.has_incoming_rv = part.has_incoming_rv;
  exchange.trace_settled = true;
}

}  // namespace exa
