// What each thread has done, as running totals: the exchanges that it served, how long it was in
// requests of its own, and what it was seen to sleep on. Two readings tell what went on between
// them.
//
// What it slept on is known from looks at it, or exactly, where its sleeps are followed: each told
// before the call at which it was over.
//
// Capture thread. A place for each of the threads that were seen last, 152 bytes each; one that
// lost its place to another thread begins anew.
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
    SleepTimes asleep_us{};  // they wrap
  };

  explicit ThreadWork(std::size_t places = 4096) : works_(places) {}

  // It read a request, or wrote the last byte of an answer. The totals before that. Both may be
  // told late, a request when its head is whole: then what the thread has done since is in the
  // totals, and where that cannot be taken out again they are not known.
  Totals begin(std::uint32_t thread, MonotonicTime time, bool sleeps_told = false) {
    auto& work = of(thread);
    work.sleeps_told = sleeps_told;
    const auto before = as_of(work, work.totals, time);
    work.last_begin = time;
    work.known_until = std::max(work.known_until, time);
    return before;
  }
  Totals end(std::uint32_t thread, MonotonicTime time) {
    auto& work = of(thread);
    const auto before = work.totals;
    if (work.last_begin <= time) ++work.totals.ended;
    work.known_until = std::max(work.known_until, time);
    if (std::max(work.last_begin, work.downstream_until) > time) return {};
    return as_of(work, before, time);
  }
  // It was looked at: since it was heard of last it has done that.
  void was_seen(std::uint32_t thread, ThreadDoing doing, MonotonicTime time) {
    auto& work = works_[thread % works_.size()];
    if (work.thread != thread) return;
    if (work.sleeps_told) return;
    if (const auto cause = cause_of(doing); cause && work.known_until.known())
      work.totals.asleep_us[static_cast<std::size_t>(*cause)] +=
          static_cast<std::uint32_t>(elapsed(work.known_until, time).count() / 1000);
    work.known_until = std::max(work.known_until, time);
  }
  // Its sleeps are followed; these lie between from and until. If from is before the thread's
  // latest request, some may belong to the time before it: nothing is known then.
  void slept(std::uint32_t thread, MonotonicTime from, MonotonicTime until,
             const SleepTimes& asleep_us) {
    auto& work = works_[thread % works_.size()];
    if (work.thread != thread) return;
    work.sleeps_told = true;
    if (from < work.last_begin) work.totals.place = ++places_given_;
    for (std::size_t i = 0; i < kSleepCauses; ++i)
      work.totals.asleep_us[i] += asleep_us[i];
    work.earlier_slept_until = work.slept_until;
    work.slept_from = from;
    work.slept_until = until;
    work.latest_sleep = asleep_us;
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
    // The latest of its sleeps, as they were told.
    MonotonicTime slept_from{};
    MonotonicTime slept_until{};
    MonotonicTime earlier_slept_until{};  // the one before that
    SleepTimes latest_sleep{};
    bool sleeps_told = false;
  };

  // With the sleeps that were over by that time. Only the latest of all can be taken out again.
  static Totals as_of(const Work& work, Totals totals, MonotonicTime time) {
    if (work.slept_until <= time) return totals;
    if (work.slept_from < time || work.earlier_slept_until > time) return {};
    for (std::size_t i = 0; i < kSleepCauses; ++i)
      totals.asleep_us[i] -= work.latest_sleep[i];
    return totals;
  }

  Work& of(std::uint32_t thread) {
    auto& work = works_[thread % works_.size()];
    if (work.thread != thread) work = {.thread = thread, .totals = {.place = ++places_given_}};
    return work;
  }

  std::vector<Work> works_;
  std::uint64_t places_given_ = 0;
};

}  // namespace exa
