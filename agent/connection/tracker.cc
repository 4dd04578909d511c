#include "agent/connection/tracker.h"

#include <algorithm>
#include <string_view>
#include <variant>

#include "exa/base/overloaded.h"

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

ConnectionTracker::ConnectionTracker(ExchangeSink& sink, Counters& counters,
                                     std::span<const ProtocolRow> protocols, TrackerOptions options,
                                     const ProcessOrigins* origins, TraceIds* traces)
    : counters_(counters),
      options_(options),
      origins_(origins),
      exchanges_(options.requests, traces),
      blocks_(options.incomplete_heads, counters),
      protocols_(converse(sink, protocols)),
      first_bytes_(protocols, protocols_, blocks_, options.connections),
      conversations_{&first_bytes_},
      table_(options.connections) {
  for (const auto& protocol : protocols_)
    conversations_.push_back(protocol.get());
}

std::vector<std::unique_ptr<ProtocolConversation>> ConnectionTracker::converse(
    ExchangeSink& sink, std::span<const ProtocolRow> rows) {
  std::vector<std::unique_ptr<ProtocolConversation>> protocols;
  for (const auto& row : rows) {
    auto& messages = counters_.of_protocol(row.name);
    const ConversationParts parts{.open = open_.emplace_back(exchanges_, sink, counters_, messages),
                                  .blocks = blocks_,
                                  .counters = counters_,
                                  .messages = messages,
                                  .earlier = earlier_,
                                  .max_connections = options_.connections,
                                  .propagators = options_.propagators};
    protocols.push_back(row.converse(static_cast<ProtocolId>(protocols.size() + 1), parts));
  }
  return protocols;
}

void ConnectionTracker::on_event(const Event& event) {
  std::visit(Overloaded{
                 [this](const SocketEvent& socket) { on_socket(socket); },
                 [this](const ChunkEvent& chunk) { on_chunk(chunk); },
                 [this](const PositionEvent& position) { on_position(position); },
                 [this](const EndEvent& end) { on_end(end); },
                 [](const ProcessEvent& /*of no connection*/) {},
                 [this](const ProcessExitEvent& exit) { on_process_exit(exit); },
                 [this](const TableEvent& table) { on_table(table); },
                 [this](const LastCallEvent& last) { on_last_call(last); },
                 [this](const LookEvent& look) {
                   exchanges_.was_seen(look.thread, look.doing, look.time);
                 },
                 [this](const SleepsEvent& sleeps) {
                   exchanges_.slept(sleeps.thread, sleeps.from, sleeps.time, sleeps.asleep_us);
                 },
                 [](const AnswerEvent& /*its exchange has ended*/) {},
             },
             event);
}

void ConnectionTracker::on_socket(const SocketEvent& event) {
  auto* connection = find_or_open(event.socket, event.tgid);
  if (connection == nullptr) return;
  connection->last_activity = event.time;
  connection->local = event.local;
  connection->remote = event.remote;
  connection->number = event.connection_number;
  connection->tgid = event.tgid;
  conversation_of(*connection).on_endpoints(*connection, event.first_sequence);
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
  connection.ports_proven = event.ports_proven;
  if (event.call.connect_us > 0) connection.connect_us = event.call.connect_us;
  auto& direction = connection.direction(event.direction);
  const auto end = event.position + event.length_bytes;
  if (event.direction != connection.request_direction() || event.framed() || turned(event))
    connection.calls[static_cast<std::size_t>(event.direction)] = event.call;
  if (event.framed()) return use_of_frames(connection, event);
  if (connection.tunnel) enter_tunnel(connection);
  if (connection.opaque) {
    direction.position = std::max(direction.position, end);
    return ChunkUse::kNotProtocol;
  }
  advance(connection, opposite(event.direction), event.other, false);
  advance(connection, event.direction, {event.position, event.previous_last_byte}, true);

  // Records of two threads may change places: what is accounted for already is passed over.
  const auto known = direction.position - event.position;
  if (known >= event.length_bytes) return ChunkUse::kBelonging;
  auto bytes = text_of(event.bytes);
  const auto captured_end = event.position + bytes.size();
  bytes.remove_prefix(std::min<std::size_t>(known, bytes.size()));
  const auto use =
      conversation_of(connection)
          .on_bytes(connection, event, bytes, end - std::max(captured_end, direction.position));
  direction = {end, event.time};
  return use;
}

// What it carries is recognised as if it had just been opened. Its two ends speak it, and the proxy
// passes it on between two connections.
void ConnectionTracker::enter_tunnel(Connection& connection) {
  conversation_of(connection).abandon(connection);
  connection.protocol = ProtocolId::kUnknown;
  connection.role = Role::kUnknown;
  connection.opaque = connection.tunnel = false;
}

// What was kept is not at its positions, so such a chunk counts whole or not at all. Whatever went
// by before it told of no message.
ChunkUse ConnectionTracker::use_of_frames(Connection& connection, const ChunkEvent& event) {
  if (!first_bytes_.reads_frames()) return ChunkUse::kNotProtocol;
  auto& conversation = conversation_of(connection);
  auto& direction = connection.direction(event.direction);
  auto use = ChunkUse::kBelonging;
  if (!conversation.reads_frames()) {
    // The programs know better where a connection goes on in another protocol.
    const auto asked = conversation.give_request(connection);
    conversation.abandon(connection);
    connection.opaque = false;
    if (asked == kNoSlot) connection.role = Role::kUnknown;
    use = first_bytes_.hand_over_frames(connection, event, text_of(event.bytes), asked);
  } else if (event.position < direction.position && !event.head_told) {
    conversation.on_frames_missed(connection, event.direction);
    return ChunkUse::kOrphan;
  } else {
    use = conversation.on_bytes(connection, event, text_of(event.bytes), 0);
  }
  direction = {event.position + event.length_bytes, event.time};
  return use;
}

// Brings a direction to where the kernel says it is. What another direction's event or a sweep says
// of it is not certain to be lost: its own record may still be on the way. So it counts only where
// it fits in the message that is being read.
void ConnectionTracker::advance(Connection& connection, Direction which, DirectionState to,
                                bool certain) {
  auto& direction = connection.direction(which);
  if (to.position <= direction.position) return;
  const auto gap_bytes = to.position - direction.position;
  auto& conversation = conversation_of(connection);
  if (!certain && !conversation.gap_fits(connection, which, gap_bytes)) return;
  conversation.on_gap(connection, which, gap_bytes, to.last_byte);
  direction = {to.position, std::max(direction.last_byte, to.last_byte)};
}

void ConnectionTracker::on_last_call(const LastCallEvent& event) {
  if (auto* connection = table_.find(event.socket))
    connection->calls[static_cast<std::size_t>(event.direction)] = event.call;
}

void ConnectionTracker::on_position(const PositionEvent& event) {
  auto* connection = table_.find(event.socket);
  if (connection == nullptr || connection->opaque) return;
  for (const auto direction : {Direction::kIngress, Direction::kEgress}) {
    const auto& to = event.direction[static_cast<std::size_t>(direction)];
    advance(*connection, direction, to, false);
    conversation_of(*connection).on_reached(*connection, direction, to.position);
  }
}

void ConnectionTracker::on_end(const EndEvent& event) {
  auto* connection = table_.find(event.socket);
  if (connection != nullptr) end(*connection, event);
}

void ConnectionTracker::end(Connection& connection, const EndEvent& event) {
  connection.last_activity = event.time;
  if (!connection.opaque) {
    for (const auto direction : {Direction::kIngress, Direction::kEgress})
      advance(connection, direction, event.direction[static_cast<std::size_t>(direction)],
              event.final);
  }
  if (event.ingress_ended && !connection.ingress_ended) {
    connection.ingress_ended = true;
    connection.ingress_ended_first = !connection.egress_ended && !event.egress_ended;
  }
  connection.egress_ended |= event.egress_ended;
  conversation_of(connection).on_end(connection, event);
  if (event.final) forget(connection, Counter::kConnectionsClosed);
}

// The kernel tells the end of each socket. A TLS stream whose socket is not known is memory of its
// process, and ends with it.
void ConnectionTracker::on_process_exit(const ProcessExitEvent& event) {
  tenants_.for_each_of(event.tgid, [&](const Tenant& process) {
    table_.for_each_of(process, [&](Connection& connection) {
      if (!connection.tls || connection.remote.port != 0) return;
      end(connection, {.socket = connection.id,
                       .time = event.time,
                       .direction = connection.directions,
                       .ingress_ended = false,
                       .egress_ended = true,
                       .final = true,
                       .socket_error = 0});
    });
  });
}

// Whose it is if it may be several ones' nobody can tell.
void ConnectionTracker::on_table(const TableEvent& event) {
  Connection* owner = nullptr;
  int owners = 0;
  tenants_.for_each_of(event.tgid, [&](const Tenant& process) {
    table_.for_each_of(process, [&](Connection& connection) {
      if (connection.opaque || !conversation_of(connection).may_have(connection, event)) return;
      owner = &connection;
      ++owners;
    });
  });
  if (owners == 1) conversation_of(*owner).on_table(*owner, event);
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
  conversation_of(connection).abandon(connection);
  auto& process = *connection.process;
  table_.erase(connection.id);
  tenants_.give_back(process);
  counters_.add(reason);
}

HandedOver ConnectionTracker::hand_over() {
  // What nobody has come back to may still hold for the next one.
  HandedOver known = std::move(earlier_);
  earlier_ = {};
  for (std::size_t i = 0; i < table_.places(); ++i) {
    const auto* connection = table_.next_in_turn();
    if (connection != nullptr && !connection->opaque)
      conversation_of(*connection).hand_over(*connection, known);
  }
  return known;
}

void ConnectionTracker::sweep(MonotonicTime now) {
  const auto places = std::min(table_.places(), kSweepPlaces);
  for (std::size_t i = 0; i < places; ++i) {
    auto* connection = table_.next_in_turn();
    if (connection != nullptr && elapsed(connection->last_activity, now) > options_.idle_timeout)
      forget(*connection, Counter::kConnectionsEvicted);
  }
  tenants_.sweep();
  if (earlier_.size() > 0) earlier_.forget_old(now);
}

}  // namespace exa
