#include "agent/exemplars/policy_rules.h"

#include <string_view>

#include "agent/exemplars/policies/make_policy.h"
#include "agent/semantics/http.h"

namespace exa {
namespace {

std::optional<Method> method_named(std::string_view name) {
  for (auto i = static_cast<int>(Method::kGet); i <= static_cast<int>(Method::kQuery); ++i)
    if (const auto method = static_cast<Method>(i); method_text(method) == name) return method;
  return std::nullopt;
}

std::uint16_t server_port(const Exchange& exchange) {
  return exchange.role == Role::kClient ? exchange.remote.port : exchange.local.port;
}

}  // namespace

PolicyRules::PolicyRules(const PolicySettings& settings) {
  for (const auto& rule : settings.rules)
    rules_.push_back({.conditions = rule,
                      .method = method_named(rule.method),
                      .policy = make_policy(rule.policy),
                      .total = {.rule = rule.text}});
  rules_.push_back({.conditions = {},
                    .method = {},
                    .policy = make_policy(settings.policy),
                    .total = {.rule = "default"}});
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

void PolicyRules::go_on_from(const PolicyRules& before) {
  for (auto& rule : rules_)
    for (const auto& same : before.rules_)
      if (same.total.rule == rule.total.rule) rule.total = same.total;
}

}  // namespace exa
