// Admits at most so many requests of a series in any time of that length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "agent/exemplars/policies/policy.h"
#include "agent/metrics/per_series.h"
#include "exa/base/time.h"

namespace exa {

class TimeWindow final : public Policy {
 public:
  TimeWindow(std::uint32_t most, Duration per) : most_(most), per_(per) {}
  [[nodiscard]] bool admits(const Offer& offer) override {
    auto& [times, next] = admitted_.of(offer.series);
    const auto time = offer.exchange.last_response;
    // Exchanges end a little out of order.
    if (times.empty() || time < times[next] || elapsed(times[next], time) < per_) {
      if (times.size() == most_) return false;
      times.insert(times.begin() + next, time);
    } else {
      times[next] = time;
    }
    next = next + 1 == times.size() ? 0 : next + 1;
    return true;
  }
  void forget(SeriesIndex series) override { admitted_.forget(series); }

 private:
  struct Admitted {
    // Of the last ones, a ring that is no longer than it had to be: few series come near `most`.
    std::vector<MonotonicTime> times;
    std::uint32_t next = 0;  // the oldest of them
  };

  std::uint32_t most_;
  Duration per_;
  PerSeries<Admitted> admitted_;
};

}  // namespace exa
