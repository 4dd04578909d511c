// Which spans a window may cost: a token bucket that fills by one budget each window and holds at
// most a burst. Capture thread; pure.
#pragma once

#include <algorithm>
#include <cstdint>

namespace exa {

class SpanBudget {
 public:
  SpanBudget(std::uint32_t spans_per_window, std::uint32_t burst_spans)
      : spans_per_window_(spans_per_window), burst_(std::max(burst_spans, spans_per_window)) {}

  void refill() { refill(spans_per_window_); }
  // With another number this time. The burst is larger or smaller to the same degree: what was
  // saved before is no way around a smaller budget.
  void refill(std::uint32_t spans) {
    const auto burst = std::uint64_t{burst_} * spans / std::max(spans_per_window_, 1U);
    tokens_ = static_cast<std::uint32_t>(std::min(std::uint64_t{tokens_} + spans, burst));
  }
  [[nodiscard]] bool take() {
    if (tokens_ == 0) return false;
    --tokens_;
    return true;
  }
  [[nodiscard]] std::uint32_t left() const { return tokens_; }

 private:
  std::uint32_t spans_per_window_;
  std::uint32_t burst_;
  std::uint32_t tokens_ = 0;
};

}  // namespace exa
