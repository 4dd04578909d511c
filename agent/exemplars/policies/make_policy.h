// Makes what is configured. Start, and when the configuration changes.
#pragma once

#include <memory>

#include "agent/exemplars/policies/error_ratios.h"
#include "agent/exemplars/policies/policy.h"
#include "agent/model/policy_spec.h"

namespace exa {

// errors: what policies share, made here by the first one that needs it.
[[nodiscard]] std::unique_ptr<Policy> make_policy(const PolicySpec& spec,
                                                  std::shared_ptr<ErrorRatios>& errors);

}  // namespace exa
