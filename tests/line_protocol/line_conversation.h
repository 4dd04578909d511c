// The line protocol on its connections. Where a line is lost, so is the order of the answers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "agent/connection/conversation.h"
#include "agent/exchange/request_fifo.h"
#include "agent/exchange/slot_pool.h"

namespace exa::line {

class LineConversation final : public ProtocolConversation {
 public:
  LineConversation(ProtocolId id, const ConversationParts& parts);

  bool open(Connection& connection, Opening opening) override;
  ChunkUse on_bytes(Connection& connection, const ChunkEvent& chunk, std::string_view bytes,
                    std::uint64_t gap_bytes) override;
  void on_gap(Connection& connection, Direction direction, std::uint64_t gap_bytes,
              MonotonicTime last_byte) override;
  [[nodiscard]] bool gap_fits(const Connection& connection, Direction direction,
                              std::uint64_t gap_bytes) const override;
  void on_end(Connection& connection, const EndEvent& end) override;
  void on_endpoints(Connection& connection, std::uint32_t first_sequence) override;
  void abandon(Connection& connection) override;

 private:
  struct State {
    RequestFifo unanswered;
    std::array<KeptMessage, 2> lines;  // by Direction: what has come of the next one
    bool lost = false;
  };

  void take(Connection& connection, const ChunkEvent& chunk, const KeptMessage& line,
            std::string_view text);
  void lose(Connection& connection, ProtocolCounter reason);

  ProtocolId id_;
  OpenExchanges& open_;
  MessageBlocks& blocks_;
  ProtocolCounters& messages_;
  SlotPool<State> states_;
};

}  // namespace exa::line
