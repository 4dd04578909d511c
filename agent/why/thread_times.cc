#include "agent/why/thread_times.h"

#include <algorithm>

namespace exa {
namespace {

// Of the kernels of distributions. Where it is longer, what is told may be older.
constexpr Duration kTick = std::chrono::milliseconds(4);

// The kernel brings the time on the CPU up to date at ticks and switches. How long ago that was is
// known but for the distance of two clocks, which is the same at both ends on the same CPU.
Duration on_cpu_between(const ThreadTimes& begun, const ThreadTimes& ended) {
  const auto told = ended.on_cpu - begun.on_cpu;
  if (begun.cpu != ended.cpu) return told;
  // Any numbers of a broken record: the difference wraps, and then it is no tick.
  const auto wrapped =
      (ended.time.ns - ended.exec_start_ns) - (begun.time.ns - begun.exec_start_ns);
  const Duration since(static_cast<std::int64_t>(wrapped));
  // More than a tick is not the thread's: the hypervisor or interrupts had the CPU.
  return since >= -kTick && since <= kTick ? told + since : told;
}

}  // namespace

AwakeTime awake_between(const ThreadTimes& begun, const ThreadTimes& ended, Duration wall) {
  AwakeTime awake;
  awake.cpu_wait = std::clamp(ended.cpu_wait - begun.cpu_wait, Duration::zero(), wall);
  const auto left = wall - awake.cpu_wait;
  const bool never_slept = begun.voluntary_switches == ended.voluntary_switches;
  awake.on_cpu =
      never_slept ? left : std::clamp(on_cpu_between(begun, ended), Duration::zero(), left);
  return awake;
}

}  // namespace exa
