// The candidate of one stratum: the request of the largest R. Merging is a maximum, so shards,
// sub-windows and repetitions of them all choose the same request.
// Capture thread. 32 bytes, all zero when empty.
#pragma once

#include <bit>
#include <cstdint>

#include "agent/exemplars/flight_recorder.h"

namespace exa {

// Requests of one trace share R; the span id decides between them, the same way everywhere.
struct Rank {
  std::uint64_t randomness = 0;
  std::uint64_t span = 0;  // as a number
  [[nodiscard]] bool beats(const Rank& other) const {
    return randomness != other.randomness ? randomness > other.randomness : span < other.span;
  }
  bool operator==(const Rank&) const = default;
};

inline Rank rank_of(const Exchange& exchange) {
  return {exchange.randomness, std::bit_cast<std::uint64_t>(exchange.span_id.bytes)};
}

struct StratumSlot {
  Rank rank;
  RecordTicket ticket = 0;
  std::uint32_t count = 0;  // admitted requests of the stratum: the winner stands for so many
  std::uint32_t kept = 0;   // place in the pool, plus one; zero: not kept

  [[nodiscard]] bool empty() const { return count == 0; }

  void merge(const StratumSlot& other) {
    if (other.empty()) return;
    const auto together = count + other.count;
    if (empty() || other.rank.beats(rank)) *this = other;
    count = together;
  }
};
static_assert(sizeof(StratumSlot) == 32);

struct SlowestSlot {
  std::uint64_t value_ns = 0;
  StratumSlot slot;

  [[nodiscard]] bool loses_to(std::uint64_t other_value_ns, const Rank& other) const {
    if (slot.empty() || other_value_ns > value_ns) return true;
    return other_value_ns == value_ns && other.beats(slot.rank);
  }
  void merge(const SlowestSlot& other) {
    if (other.slot.empty()) return;
    const auto together = slot.count + other.slot.count;
    if (loses_to(other.value_ns, other.slot.rank)) *this = other;
    slot.count = together;
  }
};

}  // namespace exa
