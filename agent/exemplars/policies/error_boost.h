// Admits a base share of the requests, another of errors, another of slow ones; and all of a target
// while more than a tenth of its requests fail.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "agent/exemplars/policies/error_ratios.h"
#include "agent/exemplars/policies/policy.h"
#include "agent/model/policy_spec.h"
#include "agent/trace/ids/randomness.h"
#include "exa/base/time.h"

namespace exa {

class ErrorBoost final : public Policy {
 public:
  ErrorBoost(const policy::ErrorBoost& spec, std::shared_ptr<const ErrorRatios> errors)
      : base_(randomness_threshold(spec.base)),
        error_(randomness_threshold(spec.error)),
        slow_(randomness_threshold(spec.slow)),
        slow_from_(spec.slow_from),
        errors_(std::move(errors)) {}

  [[nodiscard]] bool admits(const Offer& offer) override {
    if (errors_->are_many(offer.exchange.target)) return true;
    const auto randomness = offer.exchange.randomness;
    if (offer.is_error && randomness >= error_) return true;
    if (offer.exchange.duration() >= slow_from_ && randomness >= slow_) return true;
    return randomness >= base_;
  }

 private:
  std::uint64_t base_;
  std::uint64_t error_;
  std::uint64_t slow_;
  Duration slow_from_;
  std::shared_ptr<const ErrorRatios> errors_;
};

}  // namespace exa
