// Which processes are looked at again, and when. What an SDK publishes of its process is there
// seconds after the start, in a large program a minute.
//
// Prober thread. Bounded: a process that finds no place keeps the name that it had at first.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "exa/base/time.h"

namespace exa {

class SecondLooks {
 public:
  static constexpr std::size_t kMax = 16'384;
  static constexpr std::size_t kAtOnce = 16;
  // After the program began.
  static constexpr std::array<Duration, 3> kAges = {
      std::chrono::seconds(2), std::chrono::seconds(15), std::chrono::seconds(60)};

  // Times are on the clock that starts of processes are on, CLOCK_BOOTTIME.
  void note(std::uint32_t tgid, std::uint64_t began_ns, std::uint64_t now_ns) {
    for (const auto age : kAges) {
      const auto due = began_ns + static_cast<std::uint64_t>(age.count());
      if (due <= now_ns) continue;
      if (looks_.size() < kMax) looks_.insert({due, tgid, began_ns});
      return;
    }
  }
  [[nodiscard]] std::vector<std::uint32_t> due(std::uint64_t now_ns) {
    std::vector<std::uint32_t> processes;
    while (processes.size() < kAtOnce && !looks_.empty() && looks_.begin()->due_ns <= now_ns) {
      const auto look = *looks_.begin();
      looks_.erase(looks_.begin());
      processes.push_back(look.tgid);
      note(look.tgid, look.began_ns, now_ns);
    }
    return processes;
  }

 private:
  struct Look {
    std::uint64_t due_ns;
    std::uint32_t tgid;
    std::uint64_t began_ns;
    auto operator<=>(const Look&) const = default;
  };
  std::set<Look> looks_;  // the next one first
};

}  // namespace exa
