// What the policies of exemplars did, for the agent's account of itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace exa {

// Since the start, of values in their series.
struct PolicyTotal {
  std::string rule;  // as it is written; "default": that of all others
  std::uint64_t admitted = 0;
  std::uint64_t refused = 0;
};
using PolicyTotals = std::vector<PolicyTotal>;

}  // namespace exa
