// Policies of exemplars and their rules as text and back: "probability(10%)",
// "any_of(outlier(500ms), trace_based)", "service=checkout route=/api/ -> always". Pure. Every
// error says what was expected.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "agent/model/policy_spec.h"
#include "exa/base/result.h"

namespace exa {

Result<PolicySpec> parse_policy(std::string_view text);
std::string policy_text(const PolicySpec& policy);

Result<PolicyRule> parse_policy_rule(std::string_view text);
std::string policy_rule_text(const PolicyRule& rule);

// All of them, a line each: the policy of all, then the rules. A configuration in which it is
// longer is refused.
inline constexpr std::size_t kMostPolicyText = 4000;
std::string policies_text(const PolicySettings& policies);
Result<PolicySettings> parse_policies(std::string_view text);

// For people: how each is written, with what it is without its arguments, and what it admits.
struct PolicyDescription {
  std::string_view example;
  std::string_view sentence;
};
std::span<const PolicyDescription> policy_descriptions();

}  // namespace exa
