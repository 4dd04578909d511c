// One TCP connection of one process: its two directions, how far each has come, and where in the
// protocol it stands. Capture thread; owned by ConnectionTable; no memory besides itself, but one
// block of HeadArena while a head is incomplete.
#pragma once

#include <array>
#include <cstdint>

#include "agent/capture/events.h"
#include "agent/exchange/exchange_matcher.h"
#include "agent/exchange/tenants.h"
#include "agent/protocol/http1/body_reader.h"
#include "agent/protocol/registry.h"

namespace exa {

enum class StreamState : std::uint8_t {
  kLost,  // the start of the next message is not known
  kHead,  // at the start of a head, or within one
  kBody,
  kAwaitTunnel,  // after CONNECT: bytes mean something only once it is answered
};

// One direction.
struct Stream {
  std::uint64_t position = 0;  // bytes accounted for so far
  MonotonicTime last_byte;
  http1::BodyReader body;

  // The head being read: its first byte, and the bytes kept of it.
  MonotonicTime head_time;
  MonotonicTime head_arrival;
  std::uint32_t head_sequence = 0;
  std::uint32_t head_tgid = 0;
  std::uint32_t head_block = kNoSlot;
  std::uint16_t head_bytes = 0;
  StreamState state = StreamState::kLost;
  bool expect_continue = false;  // the body may never be sent: the request waits for a 100

  // What would tell where the body ends was not captured.
  [[nodiscard]] bool end_unseen() const {
    return state == StreamState::kBody && (body.kind() == http1::BodyKind::kUnknown ||
                                           body.kind() == http1::BodyKind::kLostChunks);
  }
  // Only its last bytes, a new message or the end of the connection tell where the body ends.
  [[nodiscard]] bool open_ended() const {
    return end_unseen() ||
           (state == StreamState::kBody && (body.kind() == http1::BodyKind::kUntilClose ||
                                            body.kind() == http1::BodyKind::kDisputed));
  }
};

struct Connection {
  SocketId id = 0;
  MonotonicTime last_activity;
  IpEndpoint local;
  IpEndpoint remote;
  std::array<Stream, 2> streams;  // by Direction
  RequestQueue unanswered;        // with the process whose place it has
  // Connections of the same process, in a ring.
  std::uint32_t next_of_process = kNoSlot;
  std::uint32_t previous_of_process = kNoSlot;

  // A request came while the response had no known end: where the response stood then. The next
  // response's start at this very position proves that it had ended.
  std::uint64_t supposed_end = 0;
  bool has_supposed_end = false;

  std::uint32_t tgid = 0;
  Role role = Role::kUnknown;
  ProtocolId protocol = ProtocolId::kUnknown;
  bool confirmed = false;  // a whole head has been read, so the protocol is no guess
  bool upgraded = false;   // speaks something else now
  bool pipelined = false;  // a request came, or may have, while another one waited for its answer
  bool tls = false;
  bool ingress_ended = false;
  bool egress_ended = false;
  bool ingress_ended_first = false;

  [[nodiscard]] Stream& stream(Direction d) { return streams[static_cast<std::size_t>(d)]; }
  [[nodiscard]] Direction request_direction() const {
    return role == Role::kClient ? Direction::kEgress : Direction::kIngress;
  }
  [[nodiscard]] Stream& request() { return stream(request_direction()); }
  [[nodiscard]] Stream& response() { return stream(opposite(request_direction())); }
};
static_assert(sizeof(Connection) <= 512);

}  // namespace exa
