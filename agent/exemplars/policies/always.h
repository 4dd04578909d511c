// Admits every request, or none.
#pragma once

#include "agent/exemplars/policies/policy.h"

namespace exa {

class Always final : public Policy {
 public:
  [[nodiscard]] bool admits(const Offer& /*offer*/) override { return true; }
};

class Never final : public Policy {
 public:
  [[nodiscard]] bool admits(const Offer& /*offer*/) override { return false; }
};

}  // namespace exa
