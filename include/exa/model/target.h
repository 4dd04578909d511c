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

// Ids of programs, in which processes of a single request or so are gathered, have this bit.
inline constexpr TargetId kProgramBit = 0x80000000;
constexpr bool is_program(TargetId id) {
  return (id & kProgramBit) != 0;
}

// A pid is reused; a pid with its start time is not.
struct ProcessIdentity {
  std::uint32_t tgid = 0;
  std::uint64_t start_time_ns = 0;  // start_boottime
  auto operator<=>(const ProcessIdentity&) const = default;
};

// The kernel knows the start to the nanosecond, /proc tells it in ticks of 10 ms (USER_HZ is 100 on
// every architecture of ours). A pid is never given out twice within a tick.
inline constexpr std::uint64_t kStartTickNs = 10'000'000;
constexpr std::uint64_t cut_to_tick(std::uint64_t start_time_ns) {
  return start_time_ns - start_time_ns % kStartTickNs;
}
constexpr bool same_process(const ProcessIdentity& a, const ProcessIdentity& b) {
  return a.tgid == b.tgid && cut_to_tick(a.start_time_ns) == cut_to_tick(b.start_time_ns);
}

struct Target {
  ProcessIdentity process;
  bool observed = true;  // false: excluded by configuration
  std::string service_name;
  bool name_chosen = false;  // by configuration or the process itself: no rule renames it
  bool provisional = false;  // named by what was known when waiting for better names ended
  std::shared_ptr<const Resource> resource;
};

}  // namespace exa
