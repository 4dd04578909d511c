// Admits a share of the requests that depends on how long they took.
#pragma once

#include <span>
#include <vector>

#include "agent/exemplars/policies/policy.h"
#include "agent/model/policy_spec.h"
#include "agent/trace/ids/randomness.h"
#include "exa/base/time.h"

namespace exa {

class LatencyTiered final : public Policy {
 public:
  // Ascending; of what is faster than the first one nothing is admitted.
  explicit LatencyTiered(std::span<const policy::LatencyTier> tiers) {
    for (auto tier = tiers.rbegin(); tier != tiers.rend(); ++tier)
      tiers_.push_back({.from = tier->from, .threshold = randomness_threshold(tier->share)});
  }
  [[nodiscard]] bool admits(const Offer& offer) override {
    const auto took = offer.exchange.duration();
    for (const auto& tier : tiers_)
      if (took >= tier.from) return offer.exchange.randomness >= tier.threshold;
    return false;
  }

 private:
  struct Tier {
    Duration from;
    std::uint64_t threshold;
  };
  std::vector<Tier> tiers_;  // the slowest first
};

}  // namespace exa
