// HTTP/1 on its connections: cuts both directions into messages, counts bodies through what was not
// captured, and fills in the exchanges. Where it loses its place it says so and waits for a clean
// start; it never guesses. Capture thread. Made by its row of the registry. A state for every
// connection there may be, and a block of MessageBlocks for each head that is incomplete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "agent/connection/conversation.h"
#include "agent/conversation/http1/http1_state.h"
#include "agent/exchange/open_exchanges.h"
#include "agent/exchange/slot_pool.h"
#include "agent/protocol/http1/head.h"
#include "agent/telemetry/counters.h"
#include "agent/trace/context/context_headers.h"

namespace exa {

class Http1Conversation final : public ProtocolConversation {
 public:
  Http1Conversation(ProtocolId id, const ConversationParts& parts);

  bool open(Connection& connection, Opening opening) override;
  ChunkUse on_bytes(Connection& connection, const ChunkEvent& chunk, std::string_view bytes,
                    std::uint64_t gap_bytes) override;
  void on_gap(Connection& connection, Direction direction, std::uint64_t gap_bytes,
              MonotonicTime last_byte) override;
  [[nodiscard]] bool gap_fits(const Connection& connection, Direction direction,
                              std::uint64_t gap_bytes) const override;
  void on_end(Connection& connection, const EndEvent& end) override;
  [[nodiscard]] std::uint32_t give_request(Connection& connection) override;
  void on_endpoints(Connection& connection, std::uint32_t first_sequence) override;
  void abandon(Connection& connection) override;

 private:
  static_assert(MessageBlocks::kBlockBytes == http1::kMaxHeadBytes);

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

  [[nodiscard]] Http1Talk talk_on(Connection& connection);

  // Where a message may begin, or a supposition about an end proves true or false.
  bool try_begin(const Http1Talk& talk, const ChunkEvent& chunk, std::string_view bytes,
                 ChunkUse& use);
  void begin(const Http1Talk& talk);
  void settle_response_end(const Http1Talk& talk, std::string_view bytes);
  void settle_request_end(const Http1Talk& talk, const ChunkEvent& chunk, std::string_view bytes);
  void settle_chunked_end(const Http1Talk& talk, const ChunkEvent& chunk);

  // A head may be cut: no more of it than these bytes will ever come.
  Step read(const Http1Talk& talk, const ChunkEvent& chunk, std::string_view bytes, bool cut);
  Step read_request_head(const Http1Talk& talk, const ChunkEvent& chunk, std::string_view bytes,
                         bool cut);
  Step read_response_head(const Http1Talk& talk, const ChunkEvent& chunk, std::string_view bytes,
                          bool cut);
  Step read_body(const Http1Talk& talk, const ChunkEvent& chunk, std::string_view bytes);
  Step reject_request(const Http1Talk& talk, InvalidReason reason);
  // What a chunk with such a head is; a rule that is broken is counted.
  ChunkUse use_of_head(InvalidReason breach, ProtocolCounter counter);

  HeadText gather(Http1Stream& stream, std::string_view bytes);
  // False: no block is free, or the process has its share; counted.
  bool keep(const Http1Talk& talk, Http1Stream& stream, std::string_view bytes);
  void drop_head(const Http1Talk& talk, Http1Stream& stream);

  void accept_request(const Http1Talk& talk, const http1::RequestHead& head);
  void fill_in(Exchange& exchange, const http1::RequestHead& head);
  bool accept_cut_request(const Http1Talk& talk, std::string_view text, http1::RequestHead& head);
  bool accept_unfinished_request(const Http1Talk& talk, const ChunkEvent& answer,
                                 std::string_view bytes);
  void accept_response(const Http1Talk& talk, const http1::ResponseHead& head, ParseStatus status,
                       MonotonicTime last_byte);
  // A 101 for HTTP/2, of which the request waits for its answer.
  void await_frames(const Http1Talk& talk);
  bool accept_cut_response(const Http1Talk& talk, std::string_view text, http1::ResponseHead& head,
                           MonotonicTime last_byte);
  void finish_response(const Http1Talk& talk, MonotonicTime last_byte);

  // exact: all of the bytes moved at last_byte, so that an end among them has that time too.
  void pass_gap(const Http1Talk& talk, Direction direction, std::uint64_t gap_bytes,
                MonotonicTime last_byte, bool exact);
  void gap_in_head(const Http1Talk& talk, Direction direction, MonotonicTime last_byte);
  void gap_in_body(const Http1Talk& talk, Direction direction, std::uint64_t gap_bytes,
                   MonotonicTime last_byte, bool exact);
  // To the body of the newest request, and to that of the answer to the oldest one.
  void add_request_bytes(const Http1Talk& talk, std::uint64_t bytes);
  void add_response_bytes(const Http1Talk& talk, std::uint64_t bytes, MonotonicTime last_byte);
  // The method that the next response answers.
  [[nodiscard]] Method awaited_method(const Http1Talk& talk) const;

  // Forgets everything under way; unanswered requests are counted as reason.
  void lose_all(const Http1Talk& talk, ProtocolCounter reason);
  void lose_requests(const Http1Talk& talk);
  // Legal only while no further request waits: otherwise the next answer's start is not known.
  void lose_response_end(const Http1Talk& talk);

  ProtocolId id_;
  OpenExchanges& open_;
  MessageBlocks& blocks_;
  Counters& counters_;
  ProtocolCounters& messages_;
  const ContextHeaders contexts_;
  SlotPool<Http1State> states_;
};

}  // namespace exa
