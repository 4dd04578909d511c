// Every connection of every observed process: brings each event to the conversation of its
// connection, keeps byte positions, bounds the number of connections and accounts for every chunk.
// It asks for no protocol.
// Capture thread. Owned by the request pipeline. At most TrackerOptions::connections of 336 bytes
// and what their conversations keep of each, unanswered requests of 640 bytes and incomplete
// messages of 4 KiB; nothing is allocated per event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "agent/capture/events.h"
#include "agent/connection/connection_table.h"
#include "agent/connection/conversation.h"
#include "agent/connection/first_bytes.h"
#include "agent/connection/handed_over.h"
#include "agent/connection/kept_message.h"
#include "agent/exchange/exchange_sink.h"
#include "agent/exchange/open_exchanges.h"
#include "agent/exchange/tenants.h"
#include "agent/model/propagators.h"
#include "agent/telemetry/counters.h"

namespace exa {

struct TrackerOptions {
  std::size_t connections = 65'536;
  std::size_t incomplete_heads = 4'096;
  RequestLimits requests = {};
  // A socket tells its addresses once, so a connection is kept long after its last byte.
  Duration idle_timeout = std::chrono::hours(1);
  PropagatorList propagators = {Propagator::kW3c};
};

class ConnectionTracker {
 public:
  // protocols outlive it. origins: who makes the processes; without it, each stands for itself.
  // traces: told which request is part of which.
  ConnectionTracker(ExchangeSink& sink, Counters& counters, std::span<const ProtocolRow> protocols,
                    TrackerOptions options = {}, const ProcessOrigins* origins = nullptr,
                    TraceIds* traces = nullptr);
  ConnectionTracker(const ConnectionTracker&) = delete;  // conversations refer to their parts

  void on_event(const Event& event);

  // Forgets connections idle for longer than the limit; looks at a part of the table each time.
  void sweep(MonotonicTime now);

  // Before the first event: what the agent before this one knew.
  void take_over(HandedOver earlier) { earlier_ = std::move(earlier); }
  [[nodiscard]] HandedOver hand_over();

  [[nodiscard]] std::size_t size() const { return table_.size(); }
  [[nodiscard]] const ExchangePool& open_exchanges() const { return exchanges_; }
  [[nodiscard]] std::span<const std::uint32_t> slow_threads(MonotonicTime now) {
    return exchanges_.slow_threads(now);
  }
  // Processes that lost something because they hold more than their share.
  [[nodiscard]] std::vector<const Tenant*> losers() const { return tenants_.losers(); }

 private:
  void on_socket(const SocketEvent& event);
  void on_chunk(const ChunkEvent& event);
  void on_last_call(const LastCallEvent& event);
  void on_position(const PositionEvent& event);
  void on_end(const EndEvent& event);
  void on_process_exit(const ProcessExitEvent& event);
  void on_table(const TableEvent& event);

  std::vector<std::unique_ptr<ProtocolConversation>> converse(ExchangeSink& sink,
                                                              std::span<const ProtocolRow> rows);
  ChunkUse use_of(Connection& connection, const ChunkEvent& event);
  void enter_tunnel(Connection& connection);
  ChunkUse use_of_frames(Connection& connection, const ChunkEvent& event);
  void advance(Connection& connection, Direction which, DirectionState to, bool certain);
  Connection* find_or_open(SocketId id, std::uint32_t tgid);
  void make_room();
  void end(Connection& connection, const EndEvent& event);
  void forget(Connection& connection, Counter reason);
  [[nodiscard]] Conversation& conversation_of(const Connection& connection) {
    return *conversations_[static_cast<std::size_t>(connection.protocol)];
  }

  Counters& counters_;
  TrackerOptions options_;
  const ProcessOrigins* origins_;
  Tenants tenants_;
  ExchangePool exchanges_;
  MessageBlocks blocks_;
  HandedOver earlier_;
  std::deque<OpenExchanges> open_;                                // as in the registry
  std::vector<std::unique_ptr<ProtocolConversation>> protocols_;  // as in the registry
  FirstBytes first_bytes_;
  std::vector<Conversation*> conversations_;  // by ProtocolId
  ConnectionTable table_;
};

}  // namespace exa
