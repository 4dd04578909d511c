// Admits a share of a series' requests that depends on how many come per second.
#pragma once

#include <span>
#include <vector>

#include "agent/exemplars/policies/policy.h"
#include "agent/exemplars/policies/request_rate.h"
#include "agent/metrics/per_series.h"
#include "agent/model/policy_spec.h"
#include "agent/trace/ids/randomness.h"

namespace exa {

class TrafficTiered final : public Policy {
 public:
  explicit TrafficTiered(const policy::TrafficTiered& spec)
      : above_(randomness_threshold(spec.above)) {
    for (const auto& tier : spec.tiers)
      tiers_.push_back({.below = tier.below, .threshold = randomness_threshold(tier.share)});
  }
  void see(const Offer& offer) override {
    rates_.of(offer.series).note(offer.exchange.last_response);
  }
  [[nodiscard]] bool admits(const Offer& offer) override {
    const auto rate = rates_[offer.series].per_second();
    for (const auto& tier : tiers_)
      if (rate < tier.below) return offer.exchange.randomness >= tier.threshold;
    return offer.exchange.randomness >= above_;
  }
  void forget(SeriesIndex series) override { rates_.forget(series); }

 private:
  struct Tier {
    double below;
    std::uint64_t threshold;
  };
  std::vector<Tier> tiers_;  // ascending
  std::uint64_t above_;
  PerSeries<RequestRate> rates_;
};

}  // namespace exa
