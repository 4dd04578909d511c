// Admits a base share of the requests, another of errors, another of slow ones; and all of a target
// while more than a tenth of its requests fail.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "agent/exemplars/policies/policy.h"
#include "agent/exemplars/randomness.h"
#include "agent/model/policy_spec.h"
#include "exa/base/time.h"

namespace exa {

class ErrorBoost final : public Policy {
 public:
  static constexpr float kMostErrors = 0.1F;  // of all
  static constexpr float kLeast = 20;             // requests, before that is judged

  explicit ErrorBoost(const policy::ErrorBoost& spec)
      : base_(randomness_threshold(spec.base)),
        error_(randomness_threshold(spec.error)),
        slow_(randomness_threshold(spec.slow)),
        slow_from_(spec.slow_from),
        targets_(kTargetNumbers) {}

  void see(const Offer& offer) override {
    if (!offer.is_duration) return;
    auto& target = target_of(offer);
    ++target.requests;
    target.errors += offer.is_error ? 1.0F : 0.0F;
  }
  [[nodiscard]] bool admits(const Offer& offer) override {
    const auto& target = target_of(offer);
    if (target.requests >= kLeast && target.errors > kMostErrors * target.requests) return true;
    const auto randomness = offer.exchange.randomness;
    if (offer.is_error && randomness >= error_) return true;
    if (offer.exchange.duration() >= slow_from_ && randomness >= slow_) return true;
    return randomness >= base_;
  }
  void begin_window() override { ++window_; }

 private:
  // Ids of targets have a number in their lower half that no two of the living share. The status is
  // a part of a series' key, so that a ratio of errors is one of a target.
  static constexpr std::size_t kTargetNumbers = 1 << 16;

  struct Target {
    TargetId id = kNoTarget;
    std::uint32_t window = 0;
    float requests = 0;  // of this window, and half of those of the one before, and so on
    float errors = 0;
  };

  Target& target_of(const Offer& offer) {
    auto& target = targets_[offer.exchange.target % kTargetNumbers];
    if (target.id != offer.exchange.target) target = {.id = offer.exchange.target};
    if (target.window != window_) {
      const auto left = std::ldexp(1.0F, -static_cast<int>(std::min(window_ - target.window, 64u)));
      target.requests *= left;
      target.errors *= left;
      target.window = window_;
    }
    return target;
  }

  std::uint64_t base_;
  std::uint64_t error_;
  std::uint64_t slow_;
  Duration slow_from_;
  std::vector<Target> targets_;
  std::uint32_t window_ = 0;
};

}  // namespace exa
