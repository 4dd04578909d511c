// The conversation of connections whose protocol is not known yet: looks at the first bytes of a
// connection, or of a run of one direction, gathers them across chunks while they are too few, and
// hands over to the protocol that recognises them. Framed chunks go to the protocol that reads
// such. Capture thread. Owned by ConnectionTracker. A connection costs a slot only while something
// of it is pending.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "agent/connection/conversation.h"
#include "agent/exchange/slot_pool.h"

namespace exa {

class FirstBytes final : public Conversation {
 public:
  using Protocols = std::span<const std::unique_ptr<ProtocolConversation>>;

  // rows and protocols, in the same order, outlive it.
  FirstBytes(std::span<const ProtocolRow> rows, Protocols protocols, MessageBlocks& blocks,
             std::size_t max_connections);

  ChunkUse on_bytes(Connection& connection, const ChunkEvent& chunk, std::string_view bytes,
                    std::uint64_t gap_bytes) override;
  [[nodiscard]] bool reads_frames() const override { return framed_ != nullptr; }
  void on_gap(Connection& connection, Direction direction, std::uint64_t gap_bytes,
              MonotonicTime last_byte) override;
  [[nodiscard]] bool gap_fits(const Connection& connection, Direction direction,
                              std::uint64_t gap_bytes) const override;
  void on_end(Connection& connection, const EndEvent& end) override;
  void on_endpoints(Connection& connection, std::uint32_t first_sequence) override;
  void abandon(Connection& connection) override;

  // Of a connection of which nothing is pending, if reads_frames(). asked is for the Opening.
  ChunkUse hand_over_frames(Connection& connection, const ChunkEvent& chunk, std::string_view bytes,
                            std::uint32_t asked);

 private:
  // More bytes are tried than any protocol needs: a method of 24 characters and its target.
  static constexpr std::size_t kFirstBytes = 64;

  struct Recognised {
    Detection detection;
    std::size_t row = 0;
  };
  // One direction of a connection, from a place where a message may begin.
  struct Pending {
    bool begun = false;
    KeptMessage kept;
  };
  using BothPending = std::array<Pending, 2>;  // by Direction

  [[nodiscard]] Recognised recognise(std::string_view bytes) const;
  [[nodiscard]] Pending* pending(const Connection& connection, Direction direction);
  // A message may begin here; null: no slot is free.
  Pending* begin(Connection& connection, Direction direction);
  // It does not.
  void end(Connection& connection, Direction direction);
  // Keeps the bytes but for the first ones if they are to be skipped. False: there is no room.
  bool gather(Connection& connection, Pending& begun, const ChunkEvent& chunk,
              std::string_view bytes, std::size_t skipped);
  ChunkUse hand_over(Connection& connection, const Recognised& recognised, const ChunkEvent& chunk,
                     std::string_view bytes, std::uint64_t gap_bytes);

  std::span<const ProtocolRow> rows_;
  Protocols protocols_;
  ProtocolConversation* framed_ = nullptr;  // whose chunks are framed; null: nobody's
  MessageBlocks& blocks_;
  SlotPool<BothPending> slots_;
};

}  // namespace exa
