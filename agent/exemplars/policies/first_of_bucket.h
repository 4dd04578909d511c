// Admits the first request of each bucket of a series in each window.
#pragma once

#include <cstdint>

#include "agent/exemplars/policies/policy.h"
#include "agent/metrics/per_series.h"

namespace exa {

class FirstOfBucket final : public Policy {
 public:
  [[nodiscard]] bool admits(const Offer& offer) override {
    auto& seen = seen_.of(offer.series);
    if (seen.window != window_) seen = {.window = window_, .buckets = 0};
    const auto bit = std::uint64_t{1} << offer.bucket;
    const bool first = (seen.buckets & bit) == 0;
    seen.buckets |= bit;
    return first;
  }
  void begin_window() override { ++window_; }
  void forget(SeriesIndex series) override { seen_.forget(series); }

 private:
  struct Seen {
    std::uint64_t window = 0;
    std::uint64_t buckets = 0;
  };
  static_assert(kMaxBuckets <= 64);

  PerSeries<Seen> seen_;
  std::uint64_t window_ = 1;
};

}  // namespace exa
