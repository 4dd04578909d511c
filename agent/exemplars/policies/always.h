// Admits every request: what the default chooses from.
#pragma once

#include "agent/exemplars/policies/policy.h"

namespace exa {

class Always final : public Policy {
 public:
  [[nodiscard]] bool admits(const Offer& /*offer*/) override { return true; }
};

}  // namespace exa
