// What policies remember of a series, so that a configuration cannot outgrow the agent's memory.
#pragma once

#include <cstddef>

#include "agent/model/policy_spec.h"

namespace exa {

// Of a series that meets every policy. A configuration that asks for more is refused.
inline constexpr std::size_t kMostPolicyMemory = 4096;
std::size_t policy_memory(const PolicySettings& policies);

}  // namespace exa
