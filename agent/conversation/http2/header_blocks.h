// Header blocks that came in pieces, until they are whole: the first 4 KiB in the blocks of all
// protocols, larger ones in a few of 64 KiB; of neither has a process more than its share.
// Capture thread. Owned by Http2Conversation. At most 64 large ones, 4 MiB.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "agent/connection/kept_message.h"
#include "agent/exchange/slot_pool.h"
#include "agent/telemetry/counters.h"

namespace exa {

// What is kept of one.
struct KeptBlock {
  KeptMessage small;  // with its start, whether or not anything is kept
  std::uint32_t large = kNoSlot;
  std::uint32_t large_bytes = 0;
};

class HeaderBlocks {
 public:
  static constexpr std::size_t kMaxBytes = 64 * 1024;

  HeaderBlocks(MessageBlocks& small, Counters& counters) : small_(small), counters_(counters) {}

  // False: it finds no room, counted; what was kept is dropped.
  bool add(KeptBlock& kept, Tenant& process, std::string_view piece);
  void drop(KeptBlock& kept, Tenant& process);
  [[nodiscard]] std::string_view text(const KeptBlock& kept) const;

 private:
  static constexpr std::size_t kLarge = 64;
  using Large = std::array<char, kMaxBytes>;

  bool enlarge(KeptBlock& kept, Tenant& process);

  MessageBlocks& small_;
  Counters& counters_;
  SlotPool<Large, 1> large_{kLarge};
};

}  // namespace exa
