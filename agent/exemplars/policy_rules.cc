#include "agent/exemplars/policy_rules.h"

#include <string_view>
#include <utility>

#include "agent/exemplars/policies/make_policy.h"
#include "agent/semantics/methods.h"

namespace exa {
namespace {

std::optional<Method> method_named(std::string_view name) {
  for (auto i = static_cast<int>(Method::kOther); i <= static_cast<int>(Method::kQuery); ++i)
    if (const auto method = static_cast<Method>(i); method_text(method) == name) return method;
  return std::nullopt;
}

std::uint16_t server_port(const Exchange& exchange) {
  return exchange.role == Role::kClient ? exchange.remote.port : exchange.local.port;
}

}  // namespace

void PolicyRules::use(const PolicySettings& settings) {
  auto before = std::exchange(rules_, {});
  for (const auto& rule : settings.rules)
    add(rule, before);
  add({.policy = settings.policy, .text = "default"}, before);
  before.clear();
  if (errors_.use_count() == 1) errors_.reset();  // nobody asks any longer
}

void PolicyRules::add(PolicyRule conditions, std::vector<Rule>& before) {
  PolicyTotal total{.rule = conditions.text};
  for (auto& same : before) {
    if (same.policy == nullptr || same.total.rule != total.rule) continue;
    if (same.conditions == conditions) {
      rules_.push_back(std::move(same));
      return;
    }
    total = same.total;  // the policy of all others has changed
  }
  const auto method = method_named(conditions.method);
  auto policy = make_policy(conditions.policy, errors_);
  rules_.push_back({.conditions = std::move(conditions),
                    .method = method,
                    .policy = std::move(policy),
                    .total = std::move(total)});
}

bool PolicyRules::Rule::is_met_by(const Offer& offer) const {
  const auto& exchange = offer.exchange;
  const auto& operation = exchange.operation;
  if (conditions.port != 0 && conditions.port != server_port(exchange)) return false;
  if (!conditions.method.empty() &&
      (method ? operation.method != *method
              : operation.method_original.view() != conditions.method))
    return false;
  return operation.name.view().starts_with(conditions.route) &&
         (conditions.service.empty() || conditions.service == offer.service);
}

PolicyRules::Rule& PolicyRules::rule_of(const Offer& offer) {
  for (std::size_t i = 0; i + 1 < rules_.size(); ++i)
    if (rules_[i].is_met_by(offer)) return rules_[i];
  return rules_.back();
}

void PolicyRules::begin_window() {
  if (errors_) errors_->begin_window();
  for (auto& rule : rules_)
    rule.policy->begin_window();
}

void PolicyRules::forget(SeriesIndex series) {
  for (auto& rule : rules_)
    rule.policy->forget(series);
}

PolicyTotals PolicyRules::totals() const {
  PolicyTotals all;
  for (const auto& rule : rules_)
    all.push_back(rule.total);
  return all;
}

}  // namespace exa
