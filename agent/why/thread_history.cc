#include "agent/why/thread_history.h"

#include <algorithm>
#include <span>

namespace exa {
namespace {

// Requests seldom wait longer.
constexpr Duration kOldest = std::chrono::seconds(1);

// The reading that is missed least: whose neighbours are closest to each other for their age.
std::size_t least_missed(std::span<const ThreadTimes> readings) {
  const auto latest = readings.front().time;
  auto least = readings.size() - 1;
  if (elapsed(readings[least - 1].time, latest) >= kOldest) return least;
  double smallest = 1;
  for (std::size_t i = 1; i + 1 < readings.size(); ++i) {
    const auto gap = elapsed(readings[i + 1].time, readings[i - 1].time);
    const auto age = elapsed(readings[i + 1].time, latest);
    const auto share = static_cast<double>(gap.count()) / static_cast<double>(age.count());
    if (share < smallest) {
      smallest = share;
      least = i;
    }
  }
  return least;
}

}  // namespace

void ThreadHistory::note(const CallFacts& call) {
  if (call.thread == 0 || !call.cpu_wait_known) return;
  auto& thread = threads_[call.thread % threads_.size()];
  if (thread.number != call.thread) thread = {.number = call.thread, .count = 0, .readings = {}};
  auto& readings = thread.readings;
  // Records of different CPUs may come in another order.
  if (thread.count > 0 && call.time <= readings[0].time) return;
  const bool close = thread.count > 1 && elapsed(readings[1].time, readings[0].time) < kApart;
  if (!close) {
    const std::size_t last = thread.count < kReadings ? thread.count++ : least_missed(readings);
    std::copy_backward(readings.begin(), readings.begin() + last, readings.begin() + last + 1);
  }
  readings[0] = times_of(call);
}

AwakeTime ThreadHistory::at_least_awake(MonotonicTime from, const CallFacts& call) const {
  AwakeTime least;
  const auto& thread = threads_[call.thread % threads_.size()];
  if (call.thread == 0 || !call.cpu_wait_known || thread.number != call.thread) return least;
  auto later = times_of(call);
  for (const auto& earlier : std::span(thread.readings).first(thread.count)) {
    if (later.time <= from) break;
    if (earlier.time >= later.time) continue;
    const auto wall = elapsed(earlier.time, later.time);
    const auto before = earlier.time < from ? elapsed(earlier.time, from) : Duration::zero();
    const auto awake = awake_between(earlier, later, wall);
    least.cpu_wait += std::max(awake.cpu_wait - before, Duration::zero());
    least.on_cpu += std::max(awake.on_cpu - before, Duration::zero());
    later = earlier;
  }
  return least;
}

}  // namespace exa
