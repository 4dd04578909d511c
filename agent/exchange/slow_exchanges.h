// Which threads are worth a look, as they are in a request that takes long.
//
// Capture thread, owned by ExchangePool; pure. Of kMost exchanges at a time; one more of them waits
// until another has ended. What began while more than kRemembered others did, within the time that
// makes one slow, is not looked at.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "exa/base/time.h"

namespace exa {

class SlowExchanges {
 public:
  static constexpr std::size_t kMost = 32;
  static constexpr std::size_t kRemembered = 4096;
  static constexpr Duration kSlow = std::chrono::milliseconds(10);
  // Between two looks, at least; and at least this part of the exchange's age, so that a stream of
  // hours costs nothing.
  static constexpr Duration kInterval = std::chrono::milliseconds(20);
  static constexpr int kPartOfAge = 64;

  void began(std::uint32_t slot, std::uint64_t number, std::uint32_t thread, MonotonicTime time) {
    begun_[next_begun_++ % kRemembered] = {
        .number = number, .began = time, .next_look = {}, .slot = slot, .thread = thread};
  }

  // Threads that are to be looked at now, each once. is_open(slot, number): that exchange is.
  template <typename IsOpen>
  std::span<const std::uint32_t> due(MonotonicTime now, IsOpen is_open) {
    watch_what_became_slow(now, is_open);
    std::size_t due = 0;
    for (std::size_t i = 0; i < watched_count_;) {
      auto& one = watched_[i];
      if (!is_open(one.slot, one.number)) {
        one = watched_[--watched_count_];
        continue;
      }
      ++i;
      if (now < one.next_look) continue;
      one.next_look = now + std::max(kInterval, elapsed(one.began, now) / kPartOfAge);
      const auto end = due_.begin() + static_cast<std::ptrdiff_t>(due);
      if (std::find(due_.begin(), end, one.thread) == end) due_[due++] = one.thread;
    }
    return std::span(due_).first(due);
  }

 private:
  struct Begun {
    std::uint64_t number = 0;
    MonotonicTime began;
    MonotonicTime next_look;
    std::uint32_t slot = 0;
    std::uint32_t thread = 0;
  };

  template <typename IsOpen>
  void watch_what_became_slow(MonotonicTime now, IsOpen is_open) {
    if (next_begun_ - next_slow_ > kRemembered) next_slow_ = next_begun_ - kRemembered;
    for (; next_slow_ < next_begun_; ++next_slow_) {
      const auto& one = begun_[next_slow_ % kRemembered];
      if (elapsed(one.began, now) < kSlow) return;
      if (!is_open(one.slot, one.number)) continue;
      if (watched_count_ == kMost) return;
      watched_[watched_count_++] = one;
    }
  }

  std::array<Begun, kRemembered> begun_{};  // a ring, in the order of their records
  std::uint64_t next_begun_ = 0;
  std::uint64_t next_slow_ = 0;
  std::array<Begun, kMost> watched_{};
  std::size_t watched_count_ = 0;
  std::array<std::uint32_t, kMost> due_{};
};

}  // namespace exa
