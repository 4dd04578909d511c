// HTTP/2 on its connections: what frames say of streams, and what field blocks say of messages,
// into exchanges. The kernel follows the frames (exa/abi/http2.h); what was between its records
// told of no message, unless a record says that frames went by unseen.
//
// Capture thread. Made by its row of the registry. A state of 120 bytes for every connection there
// may be, 10 KiB of tables for as many as kMostTables, of the others only literal fields are known;
// 48 bytes for each open stream, and a block of MessageBlocks for each field block that is
// incomplete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "agent/connection/conversation.h"
#include "agent/conversation/http2/http2_state.h"
#include "agent/conversation/http2/http2_streams.h"
#include "agent/exchange/slot_pool.h"
#include "agent/protocol/http2/frames.h"
#include "agent/protocol/http2/messages.h"
#include "agent/telemetry/counters.h"

namespace exa {

class Http2Conversation final : public ProtocolConversation {
 public:
  static constexpr std::size_t kMostTables = 4'096;

  Http2Conversation(ProtocolId id, const ConversationParts& parts);

  bool open(Connection& connection, Opening opening) override;
  ChunkUse on_bytes(Connection& connection, const ChunkEvent& chunk, std::string_view bytes,
                    std::uint64_t gap_bytes) override;
  [[nodiscard]] bool reads_frames() const override { return true; }
  void on_frames_missed(Connection& connection, Direction direction) override;
  // Bytes between records told of no message.
  void on_gap(Connection& connection, Direction direction, std::uint64_t gap_bytes,
              MonotonicTime last_byte) override;
  [[nodiscard]] bool gap_fits(const Connection& connection, Direction direction,
                              std::uint64_t gap_bytes) const override;
  void on_end(Connection& connection, const EndEvent& end) override;
  void on_endpoints(Connection& connection, std::uint32_t first_sequence) override;
  void abandon(Connection& connection) override;

 private:
  // A record of a connection, for the duration of a call.
  struct Talk {
    Connection& connection;
    Http2State& state;
    const ChunkEvent& chunk;
    [[nodiscard]] Http2Direction& here() const { return state.direction(chunk.direction); }
    [[nodiscard]] bool of_client() const {
      return connection.request_direction() == chunk.direction;
    }
  };

  ChunkUse read(const Talk& talk);
  void lose_table(Connection& connection, Direction direction);
  void on_begun(const Talk& talk, const http2::Frame& frame);
  void on_payload(const Talk& talk, const http2::FrameReader& frames);
  ChunkUse on_ended(const Talk& talk, const http2::Frame& frame);

  void begin_block(const Talk& talk, const http2::Frame& frame);
  void continue_block(const Talk& talk, const http2::Frame& frame);
  void add_to_block(const Talk& talk, std::string_view payload);
  ChunkUse end_block(const Talk& talk);
  void drop_block(const Connection& connection, Http2Block& block);
  bool read_fields(const Talk& talk, std::string_view block, http2::Head& head);
  [[nodiscard]] hpack::Decoder* decoder_of(Http2State& state, Direction direction);

  void on_settings(const Talk& talk, std::string_view payload);
  void on_settings_acknowledged(const Talk& talk);

  void on_head(const Talk& talk, const http2::Head& head);
  void learn_role(const Talk& talk, const http2::Head& head);

  ProtocolId id_;
  MessageBlocks& blocks_;
  Counters& counters_;
  ProtocolCounters& messages_;
  SlotPool<Http2State> states_;
  SlotPool<Http2Tables, 16> tables_;
  Http2Streams streams_;
  std::string_view whole_block_;  // where it lies in the record; for the duration of a frame
};

}  // namespace exa
