// HTTP/2 on its connections: frames into messages, messages into the exchanges of their streams.
// Reads records of frames only, and never guesses: what it did not see stays unknown, and where the
// end of messages may have gone by unseen it forgets them and counts that.
// Capture thread. Made by its row of the registry. A state of 368 bytes for every connection there
// may be; compression tables of 10 KiB for kMaxTables of them, the others' heads are read without;
// 20 KiB more for kMaxLargeTables directions whose peers agreed on larger ones.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/connection/conversation.h"
#include "agent/conversation/http2/header_blocks.h"
#include "agent/conversation/http2/http2_state.h"
#include "agent/conversation/http2/stream_table.h"
#include "agent/exchange/open_exchanges.h"
#include "agent/exchange/slot_pool.h"
#include "agent/protocol/http2/hpack/decoder.h"
#include "agent/protocol/http2/hpack/learn.h"
#include "agent/protocol/http2/message_head.h"
#include "agent/telemetry/counters.h"
#include "agent/trace/context/context_headers.h"
#include "agent/trace/context/context_reader.h"

namespace exa {

class Http2Conversation final : public ProtocolConversation {
 public:
  static constexpr std::size_t kMaxTables = 4'096;
  static constexpr std::size_t kMaxLargeTables = 128;

  Http2Conversation(ProtocolId id, const ConversationParts& parts);

  bool open(Connection& connection, Opening opening) override;
  ChunkUse on_bytes(Connection& connection, const ChunkEvent& chunk, std::string_view bytes,
                    std::uint64_t gap_bytes) override;
  [[nodiscard]] bool reads_frames() const override { return true; }
  void on_frames_missed(Connection& connection, Direction direction) override;
  void on_gap(Connection& connection, Direction direction, std::uint64_t gap_bytes,
              MonotonicTime last_byte) override;
  [[nodiscard]] bool gap_fits(const Connection& connection, Direction direction,
                              std::uint64_t gap_bytes) const override;
  void on_reached(Connection& connection, Direction direction, std::uint64_t position) override;
  void on_table(Connection& connection, const TableEvent& table) override;
  [[nodiscard]] bool may_have(const Connection& connection, const TableEvent& table) const override;
  void on_end(Connection& connection, const EndEvent& end) override;
  void on_endpoints(Connection& connection, std::uint32_t first_sequence) override;
  void hand_over(const Connection& connection, HandedOver& to) const override;
  void abandon(Connection& connection) override;

 private:
  struct Tables {
    // By Direction.
    std::array<hpack::Decoder, 2> decoders;
    std::array<std::uint32_t, 2> large;  // lent to them
  };
  // A record while it is read.
  struct Reading {
    const Http2Talk& talk;
    const ChunkEvent& chunk;
    Http2Direction& direction;
    http2::FrameReader& frames;
    std::string_view whole_block;  // all of a block, where it lies in the record
    ChunkUse use = ChunkUse::kBelonging;
  };
  // Of an encoder: what it was told to have before the record that comes next.
  struct ToldTable {
    std::uint32_t slot = kNoSlot;  // of the connection
    std::vector<hpack::SeenEntry> entries;
    std::vector<char> text;
  };
  // An encoder or decoder of a process, and who calls it.
  struct Caller {
    std::uint64_t goroutine = 0;
    std::uint32_t calls = 0;
    bool shared = false;
  };
  // Of a message that is over, or of its head.
  struct HeadEnd {
    std::uint32_t stream = 0;
    bool ends_stream = false;
    MessageStart start;
    std::uint32_t chunk_offset = 0;  // of the same byte, in its chunk
    std::uint64_t end = 0;           // position behind it
    MonotonicTime last_byte;
  };

  [[nodiscard]] Http2Talk talk_on(Connection& connection);
  // A request that came in HTTP/1 is stream 1, and whole: RFC 7540 section 3.2.
  void take_over(const Http2Talk& talk, std::uint32_t asked);

  void begin_record(Reading& reading);
  // A connection that is older than we are: its first bytes that are seen are the first ones since
  // the agent before this one.
  void take_over_table(const Http2Talk& talk, const ChunkEvent& chunk);
  // What went by between two records of a direction.
  void pass_jump(const Http2Talk& talk, const ChunkEvent& chunk);
  // Frames went by unseen, the last of them at that time. Streams that were opened since are not
  // concerned.
  void miss(const Http2Talk& talk, Direction which, MonotonicTime until);

  // http2_tables.cc
  void note_goroutine(const Http2Talk& talk, const ChunkEvent& chunk);
  void learn(const Http2Talk& talk, Direction which, const ToldTable& table);
  void take_told(const Http2Talk& talk, Direction which);

  // http2_frames.cc
  void begin_frame(Reading& reading);
  void take_payload(Reading& reading);
  void end_frame(Reading& reading);
  void take_setting(Reading& reading);
  void end_settings(Reading& reading);
  void go_away(Reading& reading);
  void reset(Reading& reading);

  // http2_heads.cc
  void begin_block(Reading& reading);
  void take_fragment(Reading& reading);
  void end_block(Reading& reading);
  void lose_block(Reading& reading);
  void drop_block(const Http2Talk& talk, Http2Direction& direction);
  void lend_large_table(const Http2Talk& talk, Direction which);
  [[nodiscard]] hpack::Decoder& decoder(const Http2Talk& talk, Direction which);
  // False: nothing of it is known.
  bool decode(Reading& reading, std::string_view block, http2::MessageHead& head);
  void accept_head(Reading& reading, const HeadEnd& end, const http2::MessageHead& head);
  void accept_request(const Http2Talk& talk, const HeadEnd& end, const http2::MessageHead& head);
  // What became of the request's context.
  ContextState fill_in(Exchange& exchange, const http2::MessageHead& head);
  void accept_response(const Http2Talk& talk, const HeadEnd& end, const http2::MessageHead& head);

  // http2_streams.cc
  void end_data(const Http2Talk& talk, Direction which, const http2::Frame& frame,
                MonotonicTime last_byte);
  void end_request(const Http2Talk& talk, Http2Stream& stream);
  // Has the answer come as far as its head said, only that its stream was not ended?
  [[nodiscard]] static bool is_all_there(const Http2Talk& talk, const Http2Stream& stream,
                                         std::uint64_t reached);
  void end_response(const Http2Talk& talk, std::uint32_t slot, MonotonicTime last_byte);
  // An answer's end of which no request is open.
  void note_orphan(const Http2Talk& talk, std::uint32_t id);
  void finish(const Http2Talk& talk, std::uint32_t slot, const Ending& ending);
  void forget(const Http2Talk& talk, std::uint32_t slot, ProtocolCounter reason);
  void forget_all(const Http2Talk& talk, ProtocolCounter reason);

  ProtocolId id_;
  OpenExchanges& open_;
  Counters& counters_;
  ProtocolCounters& messages_;
  HandedOver& earlier_;
  const ContextHeaders contexts_;
  HeaderBlocks blocks_;
  SlotPool<Http2State> states_;
  SlotPool<Tables, 16> tables_;
  SlotPool<hpack::LargeTableRoom, 1> large_tables_;
  StreamTable streams_;
  hpack::Decoder without_table_;
  // Soon after the start only.
  std::vector<ToldTable> told_tables_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, Caller> callers_;  // by process and object
};

}  // namespace exa
