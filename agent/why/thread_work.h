// What each thread has done, as running totals: the exchanges that it served, how long it was in
// requests of its own, and what it was seen to sleep on. Two readings tell what went on between
// them.
//
// Capture thread. A place for each of the threads that were seen last, 88 bytes each; one that lost
// its place to another thread begins anew.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "agent/why/thread_doing.h"
#include "exa/base/time.h"

namespace exa {

class ThreadWork {
 public:
  struct Totals {
    std::uint64_t place = 0;  // totals of different places have nothing to do with each other
    std::uint32_t ended = 0;  // exchanges that it served
    Duration downstream{};
    std::array<std::uint32_t, kSleepCauses> asleep_us{};  // by SleepCause; they wrap
  };

  explicit ThreadWork(std::size_t places = 4096) : works_(places) {}

  // It read a request, or wrote the last byte of an answer. The totals before that. An end may be
  // told late: then what the thread has done since is in the totals, and they are not known.
  Totals begin(std::uint32_t thread, MonotonicTime time) {
    auto& work = of(thread);
    const auto before = work.totals;
    work.last_begin = time;
    work.known_until = std::max(work.known_until, time);
    return before;
  }
  Totals end(std::uint32_t thread, MonotonicTime time) {
    auto& work = of(thread);
    const auto before = work.totals;
    if (work.last_begin <= time) ++work.totals.ended;
    work.known_until = std::max(work.known_until, time);
    return std::max(work.last_begin, work.downstream_until) > time ? Totals{} : before;
  }
  // It was looked at: since it was heard of last it has done that.
  void was_seen(std::uint32_t thread, ThreadDoing doing, MonotonicTime time) {
    auto& work = works_[thread % works_.size()];
    if (work.thread != thread) return;
    if (const auto cause = cause_of(doing); cause && work.known_until.known())
      work.totals.asleep_us[static_cast<std::size_t>(*cause)] +=
          static_cast<std::uint32_t>(elapsed(work.known_until, time).count() / 1000);
    work.known_until = std::max(work.known_until, time);
  }
  // It had a request of its own under way. Two at a time count once; one that was sent before the
  // thread read its latest request may be an earlier one's, and does not count.
  void was_downstream(std::uint32_t thread, MonotonicTime from, MonotonicTime until) {
    auto& work = of(thread);
    if (from < work.last_begin) return;
    work.totals.downstream += std::min(elapsed(std::max(from, work.downstream_until), until),
                                       Duration::max() - work.totals.downstream);
    work.downstream_until = std::max(until, work.downstream_until);
  }

 private:
  struct Work {
    std::uint32_t thread = 0;
    Totals totals;
    MonotonicTime last_begin{};
    MonotonicTime downstream_until{};
    MonotonicTime known_until{};  // it was heard of, or looked at
  };

  Work& of(std::uint32_t thread) {
    auto& work = works_[thread % works_.size()];
    if (work.thread != thread) work = {.thread = thread, .totals = {.place = ++places_given_}};
    return work;
  }

  std::vector<Work> works_;
  std::uint64_t places_given_ = 0;
};

}  // namespace exa
