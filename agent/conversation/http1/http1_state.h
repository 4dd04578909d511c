// Where one connection stands in HTTP/1. Capture thread; in Http1Conversation's pool.
#pragma once

#include <array>
#include <cstdint>

#include "agent/connection/connection.h"
#include "agent/connection/kept_message.h"
#include "agent/exchange/request_fifo.h"
#include "agent/protocol/http1/body_reader.h"

namespace exa {

enum class StreamState : std::uint8_t {
  kLost,  // the start of the next message is not known
  kHead,  // at the start of a head, or within one
  kBody,
  kAwaitTunnel,  // after CONNECT: bytes mean something only once it is answered
  kAwaitFrames,  // after a 101 for HTTP/2: its answer comes there
};

// One direction.
struct Http1Stream {
  http1::BodyReader body;
  KeptMessage head;  // the one being read
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

struct Http1State {
  std::array<Http1Stream, 2> streams;  // by Direction
  RequestFifo unanswered;
  // A request came while the response had no known end: where the response stood then. The next
  // response's start at this very position proves that it had ended.
  std::uint64_t supposed_end = 0;
  bool has_supposed_end = false;
  bool confirmed = false;  // a whole head has been read, so the protocol is no guess
  bool pipelined = false;  // a request came, or may have, while another one waited for its answer
  // Among the requests that found no place one whose answer has no body (HEAD, CONNECT).
  bool passed_over_bodiless = false;
};
static_assert(sizeof(Connection) + sizeof(Http1State) <= 496);

// A connection with its state, for the duration of a call.
struct Http1Talk {
  Connection& connection;
  Http1State& state;

  [[nodiscard]] Http1Stream& stream(Direction d) const {
    return state.streams[static_cast<std::size_t>(d)];
  }
  [[nodiscard]] Http1Stream& request() const { return stream(connection.request_direction()); }
  [[nodiscard]] Http1Stream& response() const { return stream(connection.response_direction()); }
  [[nodiscard]] Ending ending(Outcome outcome, MonotonicTime last_byte) const {
    return {.outcome = outcome,
            .last_byte = last_byte,
            .ports_proven = connection.ports_proven,
            .socket_error = 0,
            .call = connection.call_at(connection.response_direction(), last_byte)};
  }
  // The response as far as it has come.
  [[nodiscard]] const DirectionState& response_so_far() const {
    return connection.direction(connection.response_direction());
  }
};

}  // namespace exa
