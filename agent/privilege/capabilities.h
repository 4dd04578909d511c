// The capabilities of the process: what it has, what it keeps.
#pragma once

#include <string>
#include <vector>

#include "exa/base/result.h"

namespace exa {

enum class CapabilityName : std::uint8_t {
  kBpf,
  kPerfmon,
  kSysPtrace,
  kDacReadSearch,
  kCheckpointRestore,
};

struct CapabilityState {
  CapabilityName name;
  const char* text;  // "CAP_BPF"
  bool present;      // in the effective set
  bool required;     // without it nothing works
  const char* cost;  // what is lost without it
};

// The set that the prober keeps, each with whether this process has it.
std::vector<CapabilityState> capability_states();

// From now on the process has nothing but the prober's set, as far as it had that.
Result<> keep_prober_capabilities();

// The bounding set is emptied while that is permitted; apart from drop_all_capabilities(), because
// changing the user id in between gives the permission up.
void empty_bounding_set();
Result<> drop_all_capabilities();

}  // namespace exa
