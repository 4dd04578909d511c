// Where one connection stands in HTTP/2. Capture thread; in Http2Conversation's pool.
#pragma once

#include <array>
#include <cstdint>

#include "agent/connection/connection.h"
#include "agent/conversation/http2/header_blocks.h"
#include "agent/conversation/http2/stream_table.h"
#include "agent/exchange/open_exchanges.h"
#include "agent/protocol/http2/frames.h"

namespace exa {

// A header block from its first frame to the one with END_HEADERS (RFC 9113 section 4.3). No other
// frame of its direction comes between.
struct Http2Block {
  KeptBlock kept;
  std::uint32_t stream = 0;        // 0: none is under way
  std::uint32_t chunk_offset = 0;  // of its first frame, in its chunk
  std::uint8_t padding = 0;        // of the frame under way
  bool promise = false;            // of a request that the server makes up
  bool ends_stream = false;
  bool lost = false;  // not all of it will be there
};

// Numbers of 4 and 6 bytes in a payload, which may come in pieces.
struct Http2Entry {
  std::array<char, 6> bytes{};
  std::uint8_t size = 0;
};

// One direction.
struct Http2Direction {
  Http2Block block;
  // DATA that was under way at the end of the last record, with type 0 and a stream; its end may
  // have gone by since.
  http2::Frame under_way;
  // How often frames may have gone by that no record tells of, as DATA in a message's middle is.
  std::uint32_t jumps = 0;
  Http2Entry entry;
  std::uint8_t unacknowledged = 0;   // SETTINGS, saturating
  bool begun = false;                // a record was seen
  bool sequenced = false;            // TCP sequence numbers are known
  bool announced = false;            // among the SETTINGS a size of the table
  std::uint32_t table_bytes = 0;     // the largest of those
  std::uint64_t goroutine = 0;       // that moved the bytes of the first record
  std::int64_t newest_before = 0;    // number of the table's newest entry, before the last record
  bool shared = false;               // others moved bytes, too
  bool learned = false;              // the table was told by the process
  std::uint32_t first_sequence = 0;  // of its position 0
  std::uint32_t next_sequence = 0;   // behind the last byte that went by
};

// An answer that no other stream's frames came between.
struct Http2LoneAnswer {
  std::uint32_t stream = 0;  // 0: there is none
  std::uint64_t head_end = 0;
};

struct Http2State {
  std::array<Http2Direction, 2> directions;  // by Direction
  StreamTable::OfConnection streams;
  std::uint32_t tables = kNoSlot;       // kNoSlot: no place was free
  std::uint32_t highest_stream = 0;     // opened by the client
  std::uint32_t first_stream_seen = 0;  // the same; 0: none yet
  Http2LoneAnswer lone_answer;
  bool speaks_grpc = false;  // a call was seen on it
};
static_assert(sizeof(Http2State) <= 368);

// A connection with its state, for the duration of a call.
struct Http2Talk {
  Connection& connection;
  Http2State& state;

  [[nodiscard]] Http2Direction& direction(Direction d) const {
    return state.directions[static_cast<std::size_t>(d)];
  }
  [[nodiscard]] Http2Direction& request() const {
    return direction(connection.request_direction());
  }
  [[nodiscard]] Http2Direction& response() const {
    return direction(connection.response_direction());
  }
  // The client's, once it is known who that is.
  [[nodiscard]] bool asks(Direction d) const {
    return connection.role != Role::kUnknown && d == connection.request_direction();
  }
  [[nodiscard]] bool answers(Direction d) const {
    return connection.role != Role::kUnknown && d == connection.response_direction();
  }
  [[nodiscard]] Ending ending(Outcome outcome, MonotonicTime last_byte) const {
    return {.outcome = outcome,
            .last_byte = last_byte,
            .ports_proven = connection.ports_proven,
            .socket_error = 0,
            .call = connection.call_at(connection.response_direction(), last_byte)};
  }
};

}  // namespace exa
