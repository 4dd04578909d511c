// Policies of policies: any of them, or all of them. They are asked in their order, and only until
// one decides, so that what admits a limited number is best the last; all of them see every value.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "agent/exemplars/policies/policy.h"

namespace exa {

class Composite : public Policy {
 public:
  explicit Composite(std::vector<std::unique_ptr<Policy>> policies)
      : policies_(std::move(policies)) {}
  void see(const Offer& offer) override {
    for (const auto& policy : policies_)
      policy->see(offer);
  }
  void begin_window() override {
    for (const auto& policy : policies_)
      policy->begin_window();
  }
  void forget(SeriesIndex series) override {
    for (const auto& policy : policies_)
      policy->forget(series);
  }

 protected:
  std::vector<std::unique_ptr<Policy>> policies_;
};

class AnyOf final : public Composite {
 public:
  using Composite::Composite;
  [[nodiscard]] bool admits(const Offer& offer) override {
    return std::ranges::any_of(policies_, [&](auto& policy) { return policy->admits(offer); });
  }
};

class AllOf final : public Composite {
 public:
  using Composite::Composite;
  [[nodiscard]] bool admits(const Offer& offer) override {
    return std::ranges::all_of(policies_, [&](auto& policy) { return policy->admits(offer); });
  }
};

}  // namespace exa
