// How many requests of each target fail, lately: of this window, and half of those of the one
// before, and so on. Capture thread; owned by the rules of policies, read by every policy that
// asks, so that a megabyte serves them all.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "agent/exemplars/policies/policy.h"

namespace exa {

class ErrorRatios {
 public:
  static constexpr float kMostErrors = 0.1F;  // of all
  static constexpr float kLeast = 20;         // requests, before that is judged

  // Every value, in its order, before a policy asks about it.
  void note(const Offer& offer) {
    if (!offer.counts_requests) return;
    auto& target = targets_[offer.exchange.target % kTargetNumbers];
    if (target.id != offer.exchange.target) target = {.id = offer.exchange.target};
    const auto left = left_of(target);
    target.requests = target.requests * left + 1;
    target.errors = target.errors * left + (offer.is_error ? 1.0F : 0.0F);
    target.window = window_;
  }
  // More than a tenth of the target's requests, and enough of them to say so.
  [[nodiscard]] bool are_many(TargetId id) const {
    const auto& target = targets_[id % kTargetNumbers];
    return target.id == id && target.requests * left_of(target) >= kLeast &&
           target.errors > kMostErrors * target.requests;
  }
  void begin_window() { ++window_; }

 private:
  // Ids of targets have a number in their lower half that no two of the living share. The status is
  // a part of a series' key, so that a ratio of errors is one of a target.
  static constexpr std::size_t kTargetNumbers = 1 << 16;

  struct Target {
    TargetId id = kNoTarget;
    std::uint32_t window = 0;
    float requests = 0;
    float errors = 0;
  };

  [[nodiscard]] float left_of(const Target& target) const {
    return std::ldexp(1.0F, -static_cast<int>(std::min(window_ - target.window, 64u)));
  }

  std::vector<Target> targets_ = std::vector<Target>(kTargetNumbers);
  std::uint32_t window_ = 0;
};

}  // namespace exa
