// HTTP/1 on one connection: cuts both directions into messages, counts bodies through what was not
// captured, and tells the matcher. Where it loses its place it says so and waits for a clean start;
// it never guesses.
// Capture thread. Owned by ConnectionTracker; all state of a connection is in Connection. Memory
// besides: one block of 4 KiB for each head that is incomplete, at most max_head_blocks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "agent/capture/events.h"
#include "agent/connection/connection.h"
#include "agent/exchange/exchange_matcher.h"
#include "agent/exchange/slot_pool.h"
#include "agent/protocol/http1/head.h"
#include "agent/telemetry/counters.h"

namespace exa {

// What a chunk was, for the accounting.
enum class ChunkUse : std::uint8_t { kBelonging, kNotProtocol, kParseError, kOrphan };

// The other direction moved since this one did, or nothing was before: a message may start here.
inline bool turned(const ChunkEvent& chunk) {
  return chunk.position == 0 || chunk.other.last_byte > chunk.previous_last_byte;
}

class Http1Conversation {
 public:
  Http1Conversation(ExchangeMatcher& matcher, Counters& counters, std::size_t max_head_blocks);

  // The chunk's bytes from the stream's position on; gap_bytes follow them, not captured.
  ChunkUse on_bytes(Connection& connection, const ChunkEvent& chunk, std::string_view bytes,
                    std::uint64_t gap_bytes);

  // Bytes of a direction that were never seen. exact: all of them moved at last_byte, so that an
  // end among them has that time too.
  void on_gap(Connection& connection, Direction direction, std::uint64_t gap_bytes,
              MonotonicTime last_byte, bool exact);

  // True if a gap of that size fits in the message that is being read.
  [[nodiscard]] static bool gap_fits(const Stream& stream, std::uint64_t gap_bytes);

  // The response direction has ended: settles every request that is unanswered.
  void on_response_end(Connection& connection, const EndEvent& end);

  // Forgets everything under way; unanswered requests are counted as reason.
  void abandon(Connection& connection, Counter reason);

 private:
  using HeadBlock = std::array<char, http1::kMaxHeadBytes>;

  // What happened to some of a chunk's bytes. lost: the rest of the chunk is passed over.
  struct Step {
    std::size_t used_bytes = 0;
    ChunkUse use = ChunkUse::kBelonging;
    bool lost = false;
  };
  // Bytes of a head in a row: in the chunk, or in a block behind those kept of earlier chunks.
  struct HeadText {
    std::string_view text;
    std::size_t kept_bytes = 0;   // of them were in the block before this chunk
    std::size_t taken_bytes = 0;  // of them are of this chunk
  };

  // Where a message may begin, or a supposition about an end proves true or false.
  bool try_begin(Connection& connection, const ChunkEvent& chunk, std::string_view bytes,
                 ChunkUse& use);
  void begin(Connection& connection, Role role);
  void settle_response_end(Connection& connection, std::string_view bytes);
  void settle_request_end(Connection& connection, const ChunkEvent& chunk, std::string_view bytes);
  void settle_chunked_end(Connection& connection, const ChunkEvent& chunk);

  // A head may be cut: no more of it than these bytes will ever come.
  Step read(Connection& connection, const ChunkEvent& chunk, std::string_view bytes, bool cut);
  Step read_undetermined(Connection& connection, const ChunkEvent& chunk, std::string_view bytes,
                         bool cut);
  Step read_request_head(Connection& connection, const ChunkEvent& chunk, std::string_view bytes,
                         bool cut);
  Step read_response_head(Connection& connection, const ChunkEvent& chunk, std::string_view bytes,
                          bool cut);
  Step read_body(Connection& connection, const ChunkEvent& chunk, std::string_view bytes);
  Step reject_request(Connection& connection, InvalidReason reason);
  // What a chunk with such a head is; a rule that is broken is counted.
  ChunkUse use_of_head(InvalidReason breach, Counter counter);

  HeadText gather(Stream& stream, std::string_view bytes);
  // False: no block is free, or the process has its share; counted.
  bool keep(Connection& connection, Stream& stream, std::string_view bytes);
  void drop_head(Connection& connection, Stream& stream);
  [[nodiscard]] std::string_view kept_head(const Stream& stream) const;

  void accept_request(Connection& connection, const http1::RequestHead& head,
                      std::uint64_t head_bytes);
  bool accept_cut_request(Connection& connection, std::string_view text, http1::RequestHead& head);
  bool accept_unfinished_request(Connection& connection, const ChunkEvent& answer,
                                 std::string_view bytes);
  void accept_response(Connection& connection, const http1::ResponseHead& head, ParseStatus status,
                       std::uint64_t head_bytes, MonotonicTime last_byte);
  bool accept_cut_response(Connection& connection, std::string_view text, http1::ResponseHead& head,
                           MonotonicTime last_byte);
  void finish_response(Connection& connection, MonotonicTime last_byte);

  void gap_in_head(Connection& connection, Direction direction, MonotonicTime last_byte);
  void gap_in_body(Connection& connection, Direction direction, std::uint64_t gap_bytes,
                   MonotonicTime last_byte, bool exact);
  void lose_requests(Connection& connection);
  // Legal only while no further request waits: otherwise the next answer's start is not known.
  void lose_response_end(Connection& connection);

  ExchangeMatcher& matcher_;
  Counters& counters_;
  std::size_t max_blocks_;
  SlotPool<HeadBlock, 16> blocks_;
};

}  // namespace exa
