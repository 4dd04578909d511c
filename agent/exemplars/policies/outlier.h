// Admits requests that took longer than a threshold.
#pragma once

#include "agent/exemplars/policies/policy.h"
#include "exa/base/time.h"

namespace exa {

class Outlier final : public Policy {
 public:
  explicit Outlier(Duration above) : above_(above) {}
  [[nodiscard]] bool admits(const Offer& offer) override {
    return offer.exchange.duration() > above_;
  }

 private:
  Duration above_;
};

}  // namespace exa
