// Which threads the pipeline asks the prober to look at: they are in requests that take long. What
// each does goes into the data ring.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "agent/privilege/channel.h"

namespace exa {

inline constexpr std::size_t kMostLookedAt = 32;
using LookList = std::array<std::uint32_t, kMostLookedAt>;  // numbers of threads; 0: nobody

inline void write_look(std::span<const std::uint32_t> threads, ChannelMessage& message) {
  LookList list{};
  std::copy_n(threads.begin(), std::min(threads.size(), list.size()), list.begin());
  message.type = ChannelMessageType::kLook;
  message.value = 0;
  message.payload = {};
  std::memcpy(message.payload.data(), list.data(), sizeof list);
}

// Whatever the numbers are: of a thread that is not there nothing is told.
inline LookList read_look(const ChannelMessage& message) {
  LookList list{};
  std::memcpy(list.data(), message.payload.data(), sizeof list);
  return list;
}

}  // namespace exa
