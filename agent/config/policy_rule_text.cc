#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "agent/config/policy_arguments.h"
#include "agent/config/policy_text.h"
#include "agent/config/value_text.h"

namespace exa {

using namespace policy_arguments;

Result<PolicyRule> parse_policy_rule(std::string_view text) {
  constexpr std::string_view kExample = "as in 'service=checkout route=/api/ -> probability(10%)'";
  if (text.size() > kMostPolicyBytes) return fail("longer than 1024 bytes");
  if (!is_one_line(text)) return refuse(text, "is more than one line of plain text");
  const auto arrow = text.find("->");
  if (arrow == std::string_view::npos)
    return refuse(text, "is not conditions -> policy, " + std::string(kExample));
  auto policy = parse_policy(text.substr(arrow + 2));
  if (!policy) return std::unexpected(policy.error());
  PolicyRule rule;
  rule.policy = std::move(*policy);
  for (auto left = trimmed(text.substr(0, arrow)); !left.empty();) {
    const auto space = std::min(left.find(' '), left.size());
    const auto one = left.substr(0, space);
    left = trimmed(left.substr(space));
    const auto equals = one.find('=');
    const auto name = one.substr(0, equals);
    const auto value = equals == std::string_view::npos ? "" : one.substr(equals + 1);
    if (value.empty())
      return refuse(one, "is not a condition, " + std::string(kExample));
    std::string* const place = name == "service"  ? &rule.service
                               : name == "route"  ? &rule.route
                               : name == "method" ? &rule.method
                                                  : nullptr;
    if ((place != nullptr && !place->empty()) || (name == "port" && rule.port != 0))
      return refuse(name, "stands there twice");
    if (place != nullptr) {
      *place = value;
    } else if (name == "port") {
      const auto port = parse_count(value, 1, 65'535);
      if (!port) return std::unexpected(port.error());
      rule.port = static_cast<std::uint16_t>(*port);
    } else {
      return refuse(name, "is none of service, route, method and port");
    }
  }
  if (rule.service.empty() && rule.route.empty() && rule.method.empty() && rule.port == 0)
    return refuse(text, "has no condition; what holds for all is exemplars.policy");
  rule.text = policy_rule_text(rule);
  return rule;
}

std::string policies_text(const PolicySettings& policies) {
  auto text = policy_text(policies.policy);
  for (const auto& rule : policies.rules)
    text += '\n' + policy_rule_text(rule);
  return text;
}

Result<PolicySettings> parse_policies(std::string_view text) {
  if (text.size() > kMostPolicyText) return fail("longer than policies may be");
  const auto line = [&text] {
    const auto end = std::min(text.find('\n'), text.size());
    const auto found = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return found;
  };
  PolicySettings policies;
  auto policy = parse_policy(line());
  if (!policy) return std::unexpected(policy.error());
  policies.policy = std::move(*policy);
  while (!text.empty()) {
    auto rule = parse_policy_rule(line());
    if (!rule) return std::unexpected(rule.error());
    if (policies.rules.size() == kMostPolicyRules) return fail("too many rules of policies");
    policies.rules.push_back(std::move(*rule));
  }
  return policies;
}

std::string policy_rule_text(const PolicyRule& rule) {
  std::string text;
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) text.append(name).append(value) += ' ';
  };
  add("service=", rule.service);
  add("route=", rule.route);
  add("method=", rule.method);
  if (rule.port != 0) add("port=", std::to_string(rule.port));
  return text + "-> " + policy_text(rule.policy);
}

}  // namespace exa
