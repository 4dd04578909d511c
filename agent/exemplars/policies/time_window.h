// Admits at most so many requests of a series in any time of that length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "agent/exemplars/per_series.h"
#include "agent/exemplars/policies/policy.h"
#include "exa/base/time.h"

namespace exa {

class TimeWindow final : public Policy {
 public:
  TimeWindow(std::uint32_t most, Duration per) : most_(most), per_(per) {}
  [[nodiscard]] bool admits(const Offer& offer) override {
    auto& admitted = admitted_.of(offer.series);
    if (admitted.times.empty()) [[unlikely]]
      admitted.times.resize(most_);
    auto& oldest = admitted.times[admitted.next];
    const auto time = offer.exchange.last_response;
    // Exchanges end a little out of order.
    if (oldest.known() && (time < oldest || elapsed(oldest, time) < per_)) return false;
    oldest = time;
    admitted.next = admitted.next + 1 == most_ ? 0 : admitted.next + 1;
    return true;
  }
  void forget(SeriesIndex series) override { admitted_.forget(series); }

 private:
  struct Admitted {
    std::vector<MonotonicTime> times;  // of the last ones, a ring
    std::uint32_t next = 0;            // the oldest of them
  };

  std::uint32_t most_;
  Duration per_;
  PerSeries<Admitted> admitted_;
};

}  // namespace exa
