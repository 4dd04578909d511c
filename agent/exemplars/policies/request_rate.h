// How many requests come per second, by a window of one second that moves along: of the second
// before counts what still lies in it, as if it had been even. A value.
#pragma once

#include <cstdint>

#include "exa/base/time.h"

namespace exa {

class RequestRate {
 public:
  // One more, at that time. Those that come late count in the latest second.
  void note(MonotonicTime time) {
    const auto second = time.ns / kSecondNs;
    if (second > second_) {
      before_ = second == second_ + 1 ? count_ : 0;
      count_ = 0;
      second_ = second;
    }
    ++count_;
    latest_ns_ = second < second_ ? latest_ns_ : time.ns % kSecondNs;
  }
  [[nodiscard]] double per_second() const {
    const auto left = 1 - static_cast<double>(latest_ns_) / kSecondNs;
    return static_cast<double>(count_) + static_cast<double>(before_) * left;
  }

 private:
  static constexpr std::uint64_t kSecondNs = 1'000'000'000;

  std::uint64_t second_ = 0;
  std::uint64_t latest_ns_ = 0;  // within it
  std::uint32_t count_ = 0;
  std::uint32_t before_ = 0;
};

}  // namespace exa
