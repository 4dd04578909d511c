#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "agent/config/policy_arguments.h"
#include "agent/config/policy_text.h"
#include "agent/config/value_text.h"
#include "exa/base/whitespace.h"

namespace exa {

using namespace policy_arguments;

namespace {

constexpr std::string_view kArrow = "->";
constexpr std::string_view kExample = "as in 'service=checkout route=/api/ -> probability(10%)'";

struct Condition {
  std::string_view written;
  std::string_view name;
  std::string_view value;
};

// Takes the first one off. A value with spaces stands in quotation marks.
Condition take_condition(std::string_view& text) {
  const auto end = std::min({text.find(' '), text.find(kArrow), text.size()});
  Condition condition{.written = text.substr(0, end),
                      .name = text.substr(0, std::min(text.find('='), end)),
                      .value = {}};
  const auto value = condition.name.size() + 1;
  if (const auto closing = text.find('"', value + 1);
      value < end && text[value] == '"' && closing != std::string_view::npos) {
    condition.written = text.substr(0, closing + 1);
    condition.value = text.substr(value + 1, closing - value - 1);
  } else if (value < end) {
    condition.value = text.substr(value, end - value);
  }
  text = trimmed(text.substr(condition.written.size()));
  return condition;
}

// No request meets others.
Result<> check_method(std::string_view method) {
  if (method.size() > kMostMethodBytes)
    return refuse(method, "is longer than " + std::to_string(kMostMethodBytes) +
                              " bytes, of which no more is known of a method");
  if (std::ranges::all_of(method, [](char c) { return c >= 'a' && c <= 'z'; }))
    return refuse(method, "is in small letters; methods are written as in GET");
  return {};
}

Result<> store_condition(const Condition& condition, PolicyRule& rule) {
  const auto [written, name, value] = condition;
  if (value.empty()) return refuse(written, "is not a condition, " + std::string(kExample));
  if (name == "port") {
    if (rule.port != 0) return refuse(name, "is given twice");
    const auto port = parse_count(value, 1, 65'535);
    if (!port) return std::unexpected(port.error());
    rule.port = static_cast<std::uint16_t>(*port);
    return {};
  }
  std::string* const place = name == "service"  ? &rule.service
                             : name == "route"  ? &rule.route
                             : name == "method" ? &rule.method
                                                : nullptr;
  if (place == nullptr) return refuse(name, "is none of service, route, method and port");
  if (!place->empty()) return refuse(name, "is given twice");
  if (name == "route")
    if (auto checked = check_path_prefix(value); !checked) return checked;
  if (name == "method")
    if (auto checked = check_method(value); !checked) return checked;
  *place = value;
  return {};
}

}  // namespace

Result<PolicyRule> parse_policy_rule(std::string_view text) {
  if (text.size() > kMostPolicyBytes) return fail("longer than 1024 bytes");
  if (!is_one_line(text)) return refuse(text, "is more than one line of plain text");
  PolicyRule rule;
  auto left = trimmed(text);
  while (!left.empty() && !left.starts_with(kArrow))
    if (auto stored = store_condition(take_condition(left), rule); !stored)
      return std::unexpected(stored.error());
  if (left.empty()) return refuse(text, "is not conditions -> policy, " + std::string(kExample));
  auto policy = parse_policy(left.substr(kArrow.size()));
  if (!policy) return std::unexpected(policy.error());
  rule.policy = std::move(*policy);
  if (rule.service.empty() && rule.route.empty() && rule.method.empty() && rule.port == 0)
    return refuse(text, "has no condition; exemplars.policy applies to all requests");
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
    if (value.empty()) return;
    const bool quoted = value.contains(' ') || value.contains(kArrow);
    text.append(name).append(quoted ? "\"" + value + "\"" : value) += ' ';
  };
  add("service=", rule.service);
  add("route=", rule.route);
  add("method=", rule.method);
  if (rule.port != 0) add("port=", std::to_string(rule.port));
  return text + "-> " + policy_text(rule.policy);
}

}  // namespace exa
