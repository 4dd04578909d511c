// The open streams of all HTTP/2 connections, and what becomes of the exchange of each. Capture
// thread; owned by Http2Conversation. At most kMost, of 56 bytes; beyond them, or beyond what a
// connection may have open, a request is counted as one over the limit.
#pragma once

#include <cstddef>
#include <cstdint>

#include "agent/connection/connection.h"
#include "agent/connection/conversation.h"
#include "agent/conversation/http2/http2_state.h"
#include "agent/exchange/open_exchanges.h"
#include "agent/exchange/slot_pool.h"
#include "agent/protocol/http2/messages.h"
#include "exa/base/hash_index.h"

namespace exa {

class Http2Streams {
 public:
  static constexpr std::size_t kMost = 65'536;

  explicit Http2Streams(const ConversationParts& parts);

  // A request's head. ended: it has no body.
  void begin(Connection& connection, Http2State& state, std::uint32_t id, const MessageStart& start,
             const http2::Head& head, bool ended);
  // The head of an answer, an interim one, or its trailers.
  void on_answer(Connection& connection, Http2State& state, std::uint32_t id,
                 const MessageStart& start, const http2::Head& head, MonotonicTime last_byte,
                 bool ended);
  [[nodiscard]] bool is_open(const Connection& connection, std::uint32_t id) const;
  // Of the payload of a frame; unknown where it is padded. The size of a body of which frames were
  // not told is unknown at its end.
  void add_body(const Connection& connection, std::uint32_t id, bool of_request,
                std::uint64_t bytes, MonotonicTime last_byte);
  void end_request(const Connection& connection, Http2State& state, std::uint32_t id);
  void end_answer(Connection& connection, Http2State& state, std::uint32_t id,
                  MonotonicTime last_byte);
  // By RST_STREAM. by_us: this end has sent it.
  void reset(Connection& connection, Http2State& state, std::uint32_t id, std::uint32_t code,
             bool by_us, MonotonicTime time);
  // By GOAWAY: those above the last one that its sender has taken up.
  void refuse_above(Connection& connection, Http2State& state, std::uint32_t last, bool by_us,
                    MonotonicTime time);
  // The connection is over.
  void abort_all(Connection& connection, Http2State& state, const Ending& ending);
  // Nobody will know how they ended.
  void forget_all(Connection& connection, Http2State& state, ProtocolCounter reason);
  void learn_endpoints(const Connection& connection, const Http2State& state,
                       std::uint32_t first_sequence);

 private:
  [[nodiscard]] static std::uint64_t hash_of(std::uint32_t connection, std::uint32_t id);
  [[nodiscard]] std::uint32_t find(std::uint32_t connection, std::uint32_t id) const;
  [[nodiscard]] Exchange* exchange_of(const Connection& connection, std::uint32_t id);
  void fill_in(Exchange& exchange, const http2::Head& head);
  void finish(Connection& connection, Http2State& state, std::uint32_t stream,
              const Ending& ending);
  void settle_status(const Connection& connection, const Http2Stream& stream, Exchange& exchange);
  void remove(Http2State& state, std::uint32_t stream);

  OpenExchanges& open_;
  Counters& counters_;
  ProtocolCounters& messages_;
  HashIndex index_;
  SlotPool<Http2Stream> streams_;
};

}  // namespace exa
