// What threads had done by some of their latest calls. From it follows what the thread that reads a
// request did while the request waited for it: at least so much, as between two calls only the sums
// are known, not what came first.
//
// Capture thread. A place for each of the threads that were heard of last, 336 bytes each; one that
// lost its place to another thread begins anew.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "agent/why/call_facts.h"
#include "agent/why/thread_times.h"
#include "exa/base/time.h"

namespace exa {

class ThreadHistory {
 public:
  static constexpr std::size_t kReadings = 8;
  // But for the latest one they lie apart that far, and the farther the older they are.
  static constexpr Duration kApart = std::chrono::milliseconds(1);

  explicit ThreadHistory(std::size_t places = 2048) : threads_(places) {}

  void note(const CallFacts& call);
  // From then until this call of the thread.
  [[nodiscard]] AwakeTime at_least_awake(MonotonicTime from, const CallFacts& call) const;

 private:
  struct Thread {
    std::uint32_t number = 0;
    std::uint32_t count = 0;
    std::array<ThreadTimes, kReadings> readings;  // the latest first
  };

  std::vector<Thread> threads_;
};

}  // namespace exa
