// Admits a share of all traces, on every node the same.
#pragma once

#include "agent/exemplars/policies/policy.h"
#include "agent/trace/ids/randomness.h"

namespace exa {

class Probability final : public Policy {
 public:
  explicit Probability(double share) : threshold_(randomness_threshold(share)) {}
  [[nodiscard]] bool admits(const Offer& offer) override {
    return offer.exchange.randomness >= threshold_;
  }

 private:
  std::uint64_t threshold_;
};

}  // namespace exa
