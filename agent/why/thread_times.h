// The running totals of a thread's time as one of its calls found them; two of them tell how it
// spent the time between. Values; pure.
#pragma once

#include <cstdint>

#include "agent/why/call_facts.h"
#include "exa/base/time.h"

namespace exa {

struct ThreadTimes {
  MonotonicTime time;  // unknown: nothing is known
  Duration cpu_wait{};
  Duration on_cpu{};  // brought up to date at exec_start, which is on the clock of that CPU
  std::uint64_t exec_start_ns = 0;
  std::uint32_t cpu = 0;
  std::uint32_t voluntary_switches = 0;
};

constexpr ThreadTimes times_of(const CallFacts& call) {
  return {.time = call.time,
          .cpu_wait = call.cpu_wait,
          .on_cpu = call.on_cpu,
          .exec_start_ns = call.exec_start_ns,
          .cpu = call.cpu,
          .voluntary_switches = call.voluntary_switches};
}

// Of a wall: never more than it in all. The rest of it the thread slept.
struct AwakeTime {
  Duration cpu_wait{};
  Duration on_cpu{};
};
// wall is the time between the two.
[[nodiscard]] AwakeTime awake_between(const ThreadTimes& begun, const ThreadTimes& ended,
                                      Duration wall);

}  // namespace exa
