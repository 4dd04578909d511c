// Pause before the next attempt: doubles from shortest to longest, each spread over the upper half
// of its step so that many agents do not return in one beat. Pure: the seed is an argument.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace exa {

class Backoff {
 public:
  using Milliseconds = std::chrono::milliseconds;
  Backoff(Milliseconds shortest, Milliseconds longest, std::uint64_t seed)
      : shortest_(std::max(shortest, Milliseconds(1))),
        longest_(std::max(longest, shortest_)),
        random_(seed | 1) {}

  void reset() { step_ = Milliseconds(0); }

  // Within [shortest, longest].
  Milliseconds next() {
    step_ = step_.count() == 0 ? shortest_ : std::min(step_ * 2, longest_);
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    const auto half = step_ / 2;
    const auto spread = static_cast<std::uint64_t>(half.count()) + 1;
    const auto jittered = step_ - Milliseconds(static_cast<std::int64_t>(random_ % spread));
    return std::clamp(jittered, shortest_, longest_);
  }

 private:
  const Milliseconds shortest_;
  const Milliseconds longest_;
  Milliseconds step_{0};
  std::uint64_t random_;
};

}  // namespace exa
