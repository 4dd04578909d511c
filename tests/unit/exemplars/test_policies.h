// Policies that exist for tests only.
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "agent/exemplars/per_series.h"
#include "agent/exemplars/policies/policy.h"
#include "agent/exemplars/randomness.h"
#include "agent/metrics/bounds.h"

namespace exa {

// The first request of each bucket and window, whatever its R.
class FirstOfBucket final : public Policy {
 public:
  [[nodiscard]] bool admits(const Offer& offer) override {
    auto& seen = seen_.of(offer.series);
    if (seen.window != window_) seen = {.window = window_, .buckets = {}};
    return !std::exchange(seen.buckets[offer.bucket], true);
  }
  void begin_window() override { ++window_; }
  void forget(SeriesIndex series) override { seen_.forget(series); }

 private:
  struct Seen {
    std::uint64_t window = 0;
    std::array<bool, kMaxBuckets> buckets{};
  };
  std::uint64_t window_ = 1;
  PerSeries<Seen> seen_;
};

// A quarter of all traces, on every node the same.
class QuarterOfTraces final : public Policy {
 public:
  [[nodiscard]] bool admits(const Offer& offer) override {
    return offer.exchange.randomness >= threshold_;
  }

 private:
  std::uint64_t threshold_ = randomness_threshold(0.25);
};

class Never final : public Policy {
 public:
  [[nodiscard]] bool admits(const Offer& /*offer*/) override { return false; }
};

}  // namespace exa
