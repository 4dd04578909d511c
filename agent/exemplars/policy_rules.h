// The policy of a request: that of the first rule that it meets, else the one of all. Capture
// thread, owned by the sampler. At most kMostPolicyRules.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "agent/exemplars/policies/error_ratios.h"
#include "agent/exemplars/policies/policy.h"
#include "agent/model/policy_spec.h"
#include "agent/telemetry/policy_totals.h"
#include "exa/model/exchange.h"

namespace exa {

class PolicyRules {
 public:
  explicit PolicyRules(const PolicySettings& settings) { use(settings); }

  // From now on these. Rules that stay keep what they count and remember.
  void use(const PolicySettings& settings);

  // Asked once for every value of every series.
  [[nodiscard]] bool admits(const Offer& offer) {
    if (errors_) errors_->note(offer);
    auto& rule = rule_of(offer);
    rule.policy->see(offer);
    const bool admitted = rule.policy->admits(offer);
    ++(admitted ? rule.total.admitted : rule.total.refused);
    return admitted;
  }
  void begin_window();
  // The series is gone; its index may come to name another one.
  void forget(SeriesIndex series);

  // Of each rule in their order, and at last of the policy of all others.
  [[nodiscard]] PolicyTotals totals() const;

 private:
  struct Rule {
    PolicyRule conditions;
    std::optional<Method> method;  // of the conditions, if it is one that has a name of its own
    std::unique_ptr<Policy> policy;
    PolicyTotal total;
    [[nodiscard]] bool is_met_by(const Offer& offer) const;
  };

  void add(PolicyRule conditions, std::vector<Rule>& before);
  Rule& rule_of(const Offer& offer);

  std::vector<Rule> rules_;              // the last one is about everybody
  std::shared_ptr<ErrorRatios> errors_;  // where a policy asks for them
};

}  // namespace exa
