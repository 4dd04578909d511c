// Where the time of requests went, in parts that add up to it exactly: one request's, or that of
// many together. Values; pure.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string_view>

#include "exa/base/time.h"
#include "exa/model/account.h"

namespace exa {

// In the order in which people are told them where two are equal.
enum class TimeState : std::uint8_t {
  kThrottled,  // ready, and kept from a CPU by a cgroup's quota
  kCpuWait,    // ready, and waiting for a CPU for another reason
  kOnCpu,
  kDownstream,  // asleep until requests that the thread made itself were answered
  kAsleep,      // otherwise
  kUnknown,     // another thread ended it, or the kernel does not tell
  kCount
};
inline constexpr auto kTimeStates = static_cast<std::size_t>(TimeState::kCount);

// As the attribute `state` of metrics names it: "cpu_wait".
std::string_view name_of(TimeState state);
// As a sentence does: "waiting for a CPU".
std::string_view phrase_of(TimeState state);

struct TimeSpent {
  std::array<std::uint64_t, kTimeStates> ns{};  // by TimeState

  [[nodiscard]] std::uint64_t& operator[](TimeState state) {
    return ns[static_cast<std::size_t>(state)];
  }
  [[nodiscard]] std::uint64_t operator[](TimeState state) const {
    return ns[static_cast<std::size_t>(state)];
  }
  [[nodiscard]] std::uint64_t total_ns() const {
    return std::accumulate(ns.begin(), ns.end(), std::uint64_t{0});
  }
  void merge(const TimeSpent& other) {
    for (std::size_t i = 0; i < kTimeStates; ++i)
      ns[i] += other.ns[i];
  }
  bool operator==(const TimeSpent&) const = default;
};

// Of an exchange that lasted so long. Inline: it is made of every exchange.
inline TimeSpent time_spent(const Account& account, Duration wall) {
  TimeSpent spent;
  auto left = static_cast<std::uint64_t>(std::max(wall, Duration::zero()).count());
  const auto take = [&](TimeState state, Duration time) {
    const auto ns = static_cast<std::uint64_t>(std::max(time, Duration::zero()).count());
    spent[state] = std::min(ns, left);
    left -= spent[state];
  };
  if (account.thread_known) {
    take(TimeState::kThrottled, account.throttled);
    take(TimeState::kCpuWait, account.cpu_wait - account.throttled);
    take(TimeState::kOnCpu, account.on_cpu);
    take(TimeState::kDownstream, account.downstream);
  }
  // Without the time of waiting for a CPU, what is left may be that.
  spent[account.thread_known && account.cpu_wait_known ? TimeState::kAsleep : TimeState::kUnknown] =
      left;
  return spent;
}

}  // namespace exa
