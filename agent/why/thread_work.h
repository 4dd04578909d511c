// What each thread has done, as running totals: the exchanges that it served, and how long it was
// in requests of its own. Two readings tell what went on between them.
//
// Capture thread. A place for each of the threads that were seen last, 48 bytes each; one that lost
// its place to another thread begins anew.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "exa/base/time.h"

namespace exa {

class ThreadWork {
 public:
  struct Totals {
    std::uint64_t place = 0;  // totals of different places have nothing to do with each other
    std::uint32_t ended = 0;  // exchanges that it served
    Duration downstream{};
  };

  explicit ThreadWork(std::size_t places = 4096) : works_(places) {}

  // It read a request, or wrote the last byte of an answer. The totals before that. An end may be
  // told late: then what the thread has done since is in the totals, and they are not known.
  Totals begin(std::uint32_t thread, MonotonicTime time) {
    auto& work = of(thread);
    const auto before = work.totals;
    work.last_begin = time;
    return before;
  }
  Totals end(std::uint32_t thread, MonotonicTime time) {
    auto& work = of(thread);
    const auto before = work.totals;
    if (work.last_begin <= time) ++work.totals.ended;
    return std::max(work.last_begin, work.downstream_until) > time ? Totals{} : before;
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
