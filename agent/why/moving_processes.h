// Processes whose exchanges were seen to begin in one thread and end in another one: their runtime
// moves work between threads (Go), so that a thread that comes back says nothing either.
//
// Capture thread. A place for each of the processes that were seen last; one that lost its place is
// noticed again.
#pragma once

#include <array>
#include <cstdint>

namespace exa {

class MovingProcesses {
 public:
  void note(std::uint32_t tgid) { place_of(tgid) = tgid; }
  [[nodiscard]] bool holds(std::uint32_t tgid) const {
    return places_[tgid % places_.size()] == tgid;
  }

 private:
  std::uint32_t& place_of(std::uint32_t tgid) { return places_[tgid % places_.size()]; }

  std::array<std::uint32_t, 4096> places_{};
};

}  // namespace exa
