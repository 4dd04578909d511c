// A process that is observed, and who it is to the backends.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "exa/base/time.h"
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
// every architecture of ours). Within a tick a pid may be given out twice, where few are to be had;
// two starts that are known to the nanosecond are compared so.
inline constexpr std::uint64_t kStartTickNs = 10'000'000;
constexpr std::uint64_t cut_to_tick(std::uint64_t start_time_ns) {
  return start_time_ns - start_time_ns % kStartTickNs;
}
constexpr bool same_process(const ProcessIdentity& a, const ProcessIdentity& b) {
  if (a.tgid != b.tgid || a.start_time_ns == b.start_time_ns) return a.tgid == b.tgid;
  const auto is_cut = [](std::uint64_t start_ns) { return start_ns == cut_to_tick(start_ns); };
  return (is_cut(a.start_time_ns) || is_cut(b.start_time_ns)) &&
         cut_to_tick(a.start_time_ns) == cut_to_tick(b.start_time_ns);
}

// With tgid 0: not a process, but all those that nobody has judged. Where rules may exclude a
// process they are not observed.
struct Target {
  ProcessIdentity process;
  MonotonicTime as_of{};   // of the program that ran then; unknown: of whatever it runs
  bool observed = true;    // false: excluded by configuration
  bool undecided = false;  // not observed, as what is known of it does not decide the rules
  std::string service_name;
  bool name_chosen = false;  // by configuration or the process itself: no rule renames it
  bool provisional = false;  // named by what was known when waiting for better names ended
  std::shared_ptr<const Resource> resource{};
};

}  // namespace exa
