// One protocol on all its connections: turns bytes, gaps and ends into exchanges, and says what
// each chunk was. Where it loses its place it says so and waits for a clean start.
//
// Positions, times and ends are the tracker's: a conversation finds them as they were before the
// event and never writes them. Of the connection it sets role, protocol, opaque, tunnel and slot,
// the place of its own state. Capture thread; made from its row, owned by ConnectionTracker. An
// event without gaps costs one virtual call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "agent/capture/events.h"
#include "agent/connection/connection.h"
#include "agent/connection/handed_over.h"
#include "agent/connection/kept_message.h"
#include "agent/exchange/open_exchanges.h"
#include "agent/model/propagators.h"
#include "agent/protocol/detection.h"
#include "agent/telemetry/counters.h"

namespace exa {

// What a chunk was, for the accounting.
enum class ChunkUse : std::uint8_t { kBelonging, kNotProtocol, kParseError, kOrphan };

// The other direction moved since this one did, or nothing was before: a message may start here.
inline bool turned(const ChunkEvent& chunk) {
  return chunk.position == 0 || chunk.other_moved ||
         chunk.other.last_byte > chunk.previous_last_byte;
}

class Conversation {
 public:
  virtual ~Conversation() = default;

  // The chunk's bytes from the direction's position on; gap_bytes follow them, not captured.
  virtual ChunkUse on_bytes(Connection& connection, const ChunkEvent& chunk, std::string_view bytes,
                            std::uint64_t gap_bytes) = 0;
  // It takes framed chunks, of which bytes are what was kept and gap_bytes is 0. A direction that
  // has moved on since the last one is no gap then.
  [[nodiscard]] virtual bool reads_frames() const { return false; }
  // A framed chunk of that direction came too late to be read.
  virtual void on_frames_missed(Connection& /*connection*/, Direction /*direction*/) {}

  // Bytes of a direction that were never seen.
  virtual void on_gap(Connection& connection, Direction direction, std::uint64_t gap_bytes,
                      MonotonicTime last_byte) = 0;
  // A gap of that size fits in the message that is being read.
  [[nodiscard]] virtual bool gap_fits(const Connection& connection, Direction direction,
                                      std::uint64_t gap_bytes) const = 0;

  // A direction has come so far, by bytes that tell of no message.
  virtual void on_reached(Connection& /*connection*/, Direction /*direction*/,
                          std::uint64_t /*position*/) {}

  // A table is told by whoever moves the bytes of this connection, and of no other one.
  virtual void on_table(Connection& /*connection*/, const TableEvent& /*table*/) {}
  [[nodiscard]] virtual bool may_have(const Connection& /*connection*/,
                                      const TableEvent& /*table*/) const {
    return false;
  }

  // A direction has ended, or the connection has.
  virtual void on_end(Connection& connection, const EndEvent& end) = 0;

  // The connection goes on in frames. A request whose answer they will bring is given away: its
  // place among the open exchanges, or kNoSlot.
  [[nodiscard]] virtual std::uint32_t give_request(Connection& /*connection*/) { return kNoSlot; }

  // The endpoints became known, of a TLS stream perhaps after its requests. first_sequence is that
  // of the oldest one if that had none; 0 says nothing.
  virtual void on_endpoints(Connection& connection, std::uint32_t first_sequence) = 0;

  // What another agent would have to know to go on with it.
  virtual void hand_over(const Connection& /*connection*/, HandedOver& /*to*/) const {}

  // Forgets all that is under way, counts it, and gives the slot back.
  virtual void abandon(Connection& connection) = 0;
};

// What recognition saw of a connection.
struct Opening {
  Side side = Side::kUnclear;  // who speaks; unless that is unclear, the connection's role is known
  KeptMessage kept;            // of that direction, from earlier chunks: the protocol's from now on
  // An open exchange whose request came in another protocol, or kNoSlot: likewise.
  std::uint32_t asked = kNoSlot;
};

// One of a protocol, as the registry makes it.
class ProtocolConversation : public Conversation {
 public:
  // Takes over a connection that was recognised: sets its protocol and slot. Its bytes come next.
  // False: they belong to no message of which more will be known.
  virtual bool open(Connection& connection, Opening opening) = 0;
};

// What a conversation is made of; it outlives it. All but its own is shared.
struct ConversationParts {
  OpenExchanges& open;  // its own, in the pool of all
  MessageBlocks& blocks;
  Counters& counters;
  ProtocolCounters& messages;  // its own
  HandedOver& earlier;         // by the agent before this one
  std::size_t max_connections;
  PropagatorList propagators;  // whose trace contexts requests are read for
};

// A protocol, as the registry names it.
struct ProtocolRow {
  std::string_view name;  // of its counters in the metrics
  Detect detect;  // null, of one row at most: its chunks are framed, which says what they are
  std::unique_ptr<ProtocolConversation> (*converse)(ProtocolId id, const ConversationParts& parts);
};

}  // namespace exa
