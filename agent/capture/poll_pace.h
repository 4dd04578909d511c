// How long to leave the data rings alone before they are read again.
// Pure; capture thread.
#pragma once

#include <algorithm>
#include <cstddef>

#include "exa/base/time.h"

namespace exa {

class PollPace {
 public:
  static constexpr Duration kShortest = std::chrono::milliseconds(2);
  static constexpr Duration kLongest = std::chrono::milliseconds(20);
  // About 0.2 ms of work. All that lies in the rings is worked off in one go, and for so long a
  // core is kept from the processes that are observed: their slowest requests must not show it.
  static constexpr std::size_t kRecordsAtOnce = 1000;

  // records: how many there were after the last pause. A rate that rises is followed at once, one
  // that falls by half at a time.
  Duration next(std::size_t records) {
    const auto wanted = pause_ * kRecordsAtOnce / std::max<std::size_t>(records, 1);
    pause_ = std::clamp<Duration>(wanted, kShortest, std::min<Duration>(2 * pause_, kLongest));
    return pause_;
  }

 private:
  Duration pause_ = kLongest;
};

}  // namespace exa
