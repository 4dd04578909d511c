// What is kept of a message that is incomplete: where it began, and its bytes so far in a block.
// Capture thread. MessageBlocks is owned by ConnectionTracker and shared by all protocols. At most
// max_blocks of 4 KiB, of one process at most as many as are free; nothing is allocated in the
// steady state.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "agent/capture/events.h"
#include "agent/exchange/slot_pool.h"
#include "agent/exchange/tenants.h"
#include "agent/telemetry/counters.h"

namespace exa {

// Of a message's first byte.
struct MessageStart {
  MonotonicTime time;
  MonotonicTime arrival;  // in the socket; unknown where it was not a chunk's first byte
  std::uint32_t sequence = 0;
  std::uint32_t tgid = 0;  // who read or wrote it
};

// bytes are the rest of the chunk; behind `skipped` more of them the message begins.
MessageStart start_of(const ChunkEvent& chunk, std::string_view bytes, std::size_t skipped);

// At an offset from the chunk's first byte; before it, in the bytes that came last.
MessageStart start_at(const ChunkEvent& chunk, std::int64_t offset);

struct KeptMessage {
  MessageStart start;
  std::uint32_t block = kNoSlot;
  std::uint16_t bytes = 0;

  [[nodiscard]] bool empty() const { return bytes == 0; }
};

class MessageBlocks {
 public:
  static constexpr std::size_t kBlockBytes = 4096;

  MessageBlocks(std::size_t max_blocks, Counters& counters);

  // Begins to keep a message of which nothing is kept yet. bytes are not empty and fit in a block.
  // False: no block is free, or the process has its share; counted.
  bool keep(KeptMessage& kept, Tenant& process, std::string_view bytes);
  // Adds to what is kept, as much as fits: how much that was.
  std::size_t add(KeptMessage& kept, std::string_view bytes);
  void drop(KeptMessage& kept, Tenant& process);
  [[nodiscard]] std::string_view text(const KeptMessage& kept) const;

 private:
  using Block = std::array<char, kBlockBytes>;

  Counters& counters_;
  std::size_t max_blocks_;
  SlotPool<Block, 16> blocks_;
};

}  // namespace exa
