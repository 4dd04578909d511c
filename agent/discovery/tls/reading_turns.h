// Whose files are read next, so that nobody's files keep the others waiting: first the user for
// whom least time went into reading, among its processes the one that took least, then who came
// first. A process has a budget for good; what users took fades with time.
// Thread of TlsWatch only. One entry a process that was read for, bounded by its owner's bound.
#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "exa/base/time.h"

namespace exa {

class ReadingTurns {
 public:
  static constexpr Duration kBudget = std::chrono::seconds(5);  // of one process
  static constexpr Duration kHalfLife = std::chrono::seconds(10);

  struct Candidate {
    std::uint32_t tgid = 0;
    std::uint32_t owner = 0;
  };
  // The position of the one whose turn it is; candidates stand in the order in which they came, and
  // there is one at least.
  [[nodiscard]] std::size_t next(std::span<const Candidate> candidates, MonotonicTime now);

  void charge(const Candidate& candidate, Duration used);
  [[nodiscard]] bool spent(std::uint32_t tgid) const;
  void forget(std::uint32_t tgid) { of_process_.erase(tgid); }

 private:
  void fade(MonotonicTime now);
  template <typename Map>
  static Duration used_by(const Map& map, std::uint32_t key) {
    const auto found = map.find(key);
    return found == map.end() ? Duration::zero() : found->second;
  }

  std::map<std::uint32_t, Duration> of_owner_;
  std::map<std::uint32_t, Duration> of_process_;
  MonotonicTime faded_;
};

}  // namespace exa
