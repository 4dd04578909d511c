// What the prober tells the pipeline about twice a second, while its links are attached and its
// loop turns: that it is alive, whether the host's libraries have their probes, and what it
// counted.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "agent/privilege/channel.h"
#include "agent/telemetry/counters.h"

namespace exa {

// The counters of the pipeline that the prober counts for.
inline constexpr std::array kProberCounters = {
    Counter::kForeignHeldUp,     Counter::kForeignUnread,   Counter::kForeignRefused,
    Counter::kForeignOverBudget, Counter::kProbesOverShare, Counter::kProbesOverLimit,
    Counter::kCallsSkipped,
};

struct Heartbeat {
  bool probes_placed = false;
  std::array<std::uint64_t, kProberCounters.size()> totals{};
};

inline void write_heartbeat(const Heartbeat& beat, ChannelMessage& message) {
  message.type = ChannelMessageType::kHeartbeat;
  message.value = beat.probes_placed ? 1 : 0;
  message.payload = {};
  std::memcpy(message.payload.data(), beat.totals.data(), sizeof beat.totals);
}

inline Heartbeat read_heartbeat(const ChannelMessage& message) {
  Heartbeat beat{.probes_placed = message.value != 0};
  std::memcpy(beat.totals.data(), message.payload.data(), sizeof beat.totals);
  return beat;
}

}  // namespace exa
