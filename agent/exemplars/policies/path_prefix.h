// Admits requests whose path begins so, or whose method does where the protocol has no path.
#pragma once

#include <string>
#include <utility>

#include "agent/exemplars/policies/policy.h"

namespace exa {

class PathPrefix final : public Policy {
 public:
  explicit PathPrefix(std::string prefix) : prefix_(std::move(prefix)) {}
  [[nodiscard]] bool admits(const Offer& offer) override {
    return offer.exchange.operation.name.view().starts_with(prefix_);
  }

 private:
  std::string prefix_;
};

}  // namespace exa
