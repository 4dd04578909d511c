// A process that is observed, and who it is to the backends.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "exa/model/attribute.h"

namespace exa {

// Index of a target in the pipeline's table; never reused while an exchange refers to it.
using TargetId = std::uint32_t;
inline constexpr TargetId kNoTarget = 0;

// A pid is reused; a pid with its start time is not.
struct ProcessIdentity {
  std::uint32_t tgid = 0;
  std::uint64_t start_time_ns = 0;  // start_boottime
  auto operator<=>(const ProcessIdentity&) const = default;
};

struct Target {
  ProcessIdentity process;
  bool observed = true;   // false: excluded by configuration
  std::string service_name;
  std::shared_ptr<const Resource> resource;
};

}  // namespace exa
