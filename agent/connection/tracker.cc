#include "agent/connection/tracker.h"

#include <algorithm>
#include <string_view>
#include <variant>

namespace exa {
namespace {

// Connections looked at for one to evict, and places looked at by one sweep.
constexpr std::size_t kEvictionSample = 8;
constexpr std::size_t kSweepPlaces = 4'096;

Counter counter_of(ChunkUse use) {
  switch (use) {
    case ChunkUse::kBelonging:
      return Counter::kChunksBelonging;
    case ChunkUse::kNotProtocol:
      return Counter::kChunksNotProtocol;
    case ChunkUse::kParseError:
      return Counter::kChunksParseError;
    case ChunkUse::kOrphan:
      break;
  }
  return Counter::kChunksOrphan;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

ConnectionTracker::ConnectionTracker(ExchangeSink& sink, Counters& counters, TrackerLimits limits,
                                     const ProcessOrigins* origins)
    : counters_(counters),
      limits_(limits),
      origins_(origins),
      matcher_(sink, counters, limits.matcher),
      http1_(matcher_, counters, limits.incomplete_heads),
      table_(limits.connections) {}

void ConnectionTracker::on_event(const Event& event) {
  if (const auto* chunk = std::get_if<ChunkEvent>(&event)) return on_chunk(*chunk);
  if (const auto* socket = std::get_if<SocketEvent>(&event)) return on_socket(*socket);
  if (const auto* position = std::get_if<PositionEvent>(&event)) return on_position(*position);
  if (const auto* end = std::get_if<EndEvent>(&event)) return on_end(*end);
}

void ConnectionTracker::on_socket(const SocketEvent& event) {
  auto* connection = find_or_open(event.socket, event.tgid);
  if (connection == nullptr) return;
  connection->last_activity = event.time;
  connection->local = event.local;
  connection->remote = event.remote;
  connection->tgid = event.tgid;
  // The socket under a TLS stream may become known after its first bytes.
  if (!connection->unanswered.empty())
    matcher_.learn_endpoints(connection->unanswered, event.local, event.remote,
                             event.first_sequence);
}

void ConnectionTracker::on_chunk(const ChunkEvent& event) {
  counters_.add(Counter::kChunksConsumed);
  auto* connection = find_or_open(event.socket, event.tgid);
  const auto use = connection == nullptr ? ChunkUse::kOrphan : use_of(*connection, event);
  counters_.add(counter_of(use));
}

ChunkUse ConnectionTracker::use_of(Connection& connection, const ChunkEvent& event) {
  connection.last_activity = event.time;
  connection.tls = connection.tls || event.tls;
  auto& stream = connection.stream(event.direction);
  const auto end = event.position + event.length_bytes;
  if (connection.upgraded) {
    stream.position = std::max(stream.position, end);
    return ChunkUse::kNotProtocol;
  }
  advance(connection, opposite(event.direction), event.other, false);
  advance(connection, event.direction, {event.position, event.previous_last_byte}, true);

  // Records of two threads may change places: what is accounted for already is passed over.
  const auto known = stream.position - event.position;
  if (known >= event.length_bytes) return ChunkUse::kBelonging;
  auto bytes = text_of(event.bytes);
  const auto captured_end = event.position + bytes.size();
  bytes.remove_prefix(std::min<std::size_t>(known, bytes.size()));
  return http1_.on_bytes(connection, event, bytes, end - std::max(captured_end, stream.position));
}

// Brings a direction to where the kernel says it is. What another direction's event or a sweep says
// of it is not certain to be lost: its own record may still be on the way. So it counts only where
// it fits in the message that is being read.
void ConnectionTracker::advance(Connection& connection, Direction direction, DirectionState to,
                                bool certain) {
  auto& stream = connection.stream(direction);
  if (to.position <= stream.position) return;
  const auto gap_bytes = to.position - stream.position;
  if (!certain && !Http1Conversation::gap_fits(stream, gap_bytes)) return;
  http1_.on_gap(connection, direction, gap_bytes, to.last_byte, false);
}

void ConnectionTracker::on_position(const PositionEvent& event) {
  auto* connection = table_.find(event.socket);
  if (connection == nullptr || connection->upgraded) return;
  for (const auto direction : {Direction::kIngress, Direction::kEgress})
    advance(*connection, direction, event.direction[static_cast<std::size_t>(direction)], false);
}

void ConnectionTracker::on_end(const EndEvent& event) {
  auto* connection = table_.find(event.socket);
  if (connection == nullptr) return;
  connection->last_activity = event.time;
  if (!connection->upgraded) {
    for (const auto direction : {Direction::kIngress, Direction::kEgress})
      advance(*connection, direction, event.direction[static_cast<std::size_t>(direction)],
              event.final);
  }
  if (event.ingress_ended && !connection->ingress_ended) {
    connection->ingress_ended = true;
    connection->ingress_ended_first = !connection->egress_ended && !event.egress_ended;
  }
  connection->egress_ended |= event.egress_ended;
  const bool response_ended =
      connection->role == Role::kClient ? connection->ingress_ended : connection->egress_ended;
  if (response_ended || event.final) http1_.on_response_end(*connection, event);
  if (!event.final) return;
  forget(*connection, Counter::kConnectionsClosed);
}

Connection* ConnectionTracker::find_or_open(SocketId id, std::uint32_t tgid) {
  if (auto* known = table_.find(id)) return known;
  if (id == 0) return nullptr;
  // Counted first: of equals, the one that wants more loses.
  auto& process = tenants_.take(origins_ ? origins_->origin_of(tgid) : ProcessOrigin{}, tgid);
  if (table_.full()) make_room();
  auto* opened = table_.insert(id, process);
  if (opened == nullptr) {
    tenants_.give_back(process);
    return nullptr;
  }
  counters_.add(Counter::kConnectionsOpened);
  return opened;
}

void ConnectionTracker::make_room() {
  auto& heaviest = tenants_.heaviest();
  auto* const oldest = table_.oldest_of_next(kEvictionSample, heaviest);
  if (oldest == nullptr) return;  // as many processes as places: a newcomer finds none
  heaviest.lose(Place::kConnection);
  forget(*oldest, Counter::kConnectionsOverShare);
}

void ConnectionTracker::forget(Connection& connection, Counter reason) {
  http1_.abandon(connection, Counter::kOrphanRequest);
  auto& process = *connection.unanswered.process;
  table_.erase(connection.id);
  tenants_.give_back(process);
  counters_.add(reason);
}

void ConnectionTracker::sweep(MonotonicTime now) {
  const auto places = std::min(table_.places(), kSweepPlaces);
  for (std::size_t i = 0; i < places; ++i) {
    auto* connection = table_.next_in_turn();
    if (connection != nullptr && elapsed(connection->last_activity, now) > limits_.idle_timeout)
      forget(*connection, Counter::kConnectionsEvicted);
  }
  tenants_.sweep();
}

}  // namespace exa
