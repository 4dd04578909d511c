// Where one connection stands in HTTP/2. Capture thread; in Http2Conversation's pools.
#pragma once

#include <array>
#include <cstdint>

#include "agent/connection/connection.h"
#include "agent/connection/kept_message.h"
#include "agent/exchange/slot_pool.h"
#include "agent/protocol/http2/hpack/decoder.h"

namespace exa {

// A field block: of one HEADERS or PUSH_PROMISE and the CONTINUATIONs behind it (RFC 9113 section
// 4.3). At most one is under way in each direction.
struct Http2Block {
  KeptMessage kept;              // of earlier records, and where it began
  std::uint32_t stream = 0;      // 0: none is under way
  std::uint32_t bytes_left = 0;  // of the frame that is under way, without its padding
  std::uint8_t front_left = 0;   // bytes of that frame before those of the block
  bool padded = false;           // the next byte says by how many
  bool promised = false;         // another stream's request, which this end has not made
  bool ends_stream = false;
  bool ends = false;      // with the frame that is under way
  bool too_long = false;  // for a place of MessageBlocks
};

struct Http2Direction {
  Http2Block block;
  std::uint32_t reset_code = 0;   // of the RST_STREAM that is under way
  std::uint32_t table_bytes = 0;  // asked for by this end's SETTINGS, not acknowledged yet
  bool table_asked = false;
  std::uint32_t untold = 0;  // how often bytes went by that told of no message: of bodies, mostly
};

struct Http2State {
  std::array<Http2Direction, 2> directions;  // by Direction
  std::uint32_t tables = kNoSlot;            // of fields; none: there are too many connections
  std::uint32_t first_stream = kNoSlot;
  std::uint32_t open_streams = 0;
  std::uint32_t highest_stream = 0;  // that was opened by the client
  std::uint32_t joined_at = 0;       // the first one that was seen of a connection that is older

  [[nodiscard]] Http2Direction& direction(Direction d) {
    return directions[static_cast<std::size_t>(d)];
  }
};

// The tables of both directions.
struct Http2Tables {
  std::array<hpack::Decoder, 2> decoders;  // by Direction
};

// A request whose answer is not whole.
struct Http2Stream {
  std::uint32_t id = 0;
  std::uint32_t connection = kNoSlot;  // the slot of its state
  std::uint32_t exchange = kNoSlot;
  std::uint32_t next = kNoSlot;  // of its connection
  std::uint32_t previous = kNoSlot;
  // What the directions had as untold when the request, and its answer, began.
  std::uint32_t untold_before_request = 0;
  std::uint32_t untold_before_answer = 0;
  std::uint16_t status = 0;  // of the answer's head; of RPC too, where the exchange has another
  bool request_ended = false;
  bool answered = false;      // by a head that is not interim
  bool joins_tunnel = false;  // CONNECT
  MonotonicTime deadline;     // of RPC, as the client told it; unknown: none
};

}  // namespace exa
