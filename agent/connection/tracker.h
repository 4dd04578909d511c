// Every connection of every observed process: brings each event to its connection, keeps byte
// positions, bounds the number of connections and accounts for every chunk.
// Capture thread. Owned by the request pipeline. At most TrackerLimits::connections of 512 bytes,
// unanswered requests of 352 bytes and incomplete heads of 4 KiB; nothing is allocated per event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "agent/capture/events.h"
#include "agent/connection/connection_table.h"
#include "agent/connection/http1_conversation.h"
#include "agent/exchange/exchange_matcher.h"
#include "agent/exchange/exchange_sink.h"
#include "agent/exchange/tenants.h"
#include "agent/telemetry/counters.h"

namespace exa {

struct TrackerLimits {
  std::size_t connections = 65'536;
  std::size_t incomplete_heads = 4'096;
  MatcherLimits matcher = {};
  // A socket tells its addresses once, so a connection is kept long after its last byte.
  Duration idle_timeout = std::chrono::hours(1);
};

class ConnectionTracker {
 public:
  // origins: who makes the processes; without it, each stands for itself.
  ConnectionTracker(ExchangeSink& sink, Counters& counters, TrackerLimits limits = {},
                    const ProcessOrigins* origins = nullptr);

  void on_event(const Event& event);

  // Forgets connections idle for longer than the limit; looks at a part of the table each time.
  void sweep(MonotonicTime now);

  [[nodiscard]] std::size_t size() const { return table_.size(); }
  [[nodiscard]] std::size_t unanswered_requests() const { return matcher_.unanswered(); }
  // Processes that lost something because they hold more than their share.
  [[nodiscard]] std::vector<const Tenant*> losers() const { return tenants_.losers(); }

 private:
  void on_socket(const SocketEvent& event);
  void on_chunk(const ChunkEvent& event);
  void on_position(const PositionEvent& event);
  void on_end(const EndEvent& event);

  ChunkUse use_of(Connection& connection, const ChunkEvent& event);
  void advance(Connection& connection, Direction direction, DirectionState to, bool certain);
  Connection* find_or_open(SocketId id, std::uint32_t tgid);
  void make_room();
  void forget(Connection& connection, Counter reason);

  Counters& counters_;
  TrackerLimits limits_;
  const ProcessOrigins* origins_;
  Tenants tenants_;
  ExchangeMatcher matcher_;
  Http1Conversation http1_;
  ConnectionTable table_;
};

}  // namespace exa
