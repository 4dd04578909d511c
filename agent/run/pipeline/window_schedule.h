// When windows end: at whole multiples of their length on the wall clock, on every node the same.
// Pure; capture thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "exa/base/time.h"

namespace exa {

class WindowSchedule {
 public:
  explicit WindowSchedule(Duration length) : length_(static_cast<std::uint64_t>(length.count())) {}

  // The tick after now. Anew after each one, since the wall clock may be set.
  void plan(MonotonicTime now, WallClockOffset offset) {
    next_ = {now.ns + (length_ - offset.to_wall(now).ns % length_)};
  }
  // Never before plan().
  [[nodiscard]] bool is_due(MonotonicTime now) const { return next_.known() && now >= next_; }
  // How long to wait for something else.
  [[nodiscard]] Duration until_tick(MonotonicTime now, Duration at_most) const {
    return next_.known() ? std::min(at_most, elapsed(now, next_)) : at_most;
  }

 private:
  std::uint64_t length_;  // nanoseconds
  MonotonicTime next_;
};

}  // namespace exa
