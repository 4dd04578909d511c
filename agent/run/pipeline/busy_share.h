// The share of a core that a thread used since it was last asked. Pure; the capture thread's.
#pragma once

#include "exa/base/time.h"

namespace exa {

class BusyShare {
 public:
  // 0 the first time.
  double since_last(MonotonicTime now, Duration cpu) {
    const auto wall = elapsed(asked_, now);
    const auto used = cpu - cpu_;
    const bool first = !asked_.known();
    asked_ = now;
    cpu_ = cpu;
    return first || wall == Duration::zero() ? 0 : seconds(used) / seconds(wall);
  }

 private:
  MonotonicTime asked_;
  Duration cpu_{};
};

}  // namespace exa
