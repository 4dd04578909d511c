// Admits requests whose caller has sampled their trace.
#pragma once

#include "agent/exemplars/policies/policy.h"

namespace exa {

class TraceBased final : public Policy {
 public:
  [[nodiscard]] bool admits(const Offer& offer) override {
    const auto& exchange = offer.exchange;
    return exchange.has_context && (exchange.trace_flags & kTraceSampled) != 0;
  }
};

}  // namespace exa
