// Makes what is configured. Start, and when the configuration changes.
#pragma once

#include <memory>

#include "agent/exemplars/policies/policy.h"
#include "agent/model/policy_spec.h"

namespace exa {

[[nodiscard]] std::unique_ptr<Policy> make_policy(const PolicySpec& spec);

}  // namespace exa
