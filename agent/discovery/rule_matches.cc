#include "agent/discovery/rule_matches.h"

#include "agent/discovery/target_builder.h"

namespace exa {

RuleMatches::RuleMatches(const TargetPatterns& include) {
  for (const auto& glob : include.exe)
    rules_.push_back({.kind = Rule::Kind::kExecutable, .text = glob});
  for (const auto pid : include.pid)
    rules_.push_back({.kind = Rule::Kind::kPid, .text = std::to_string(pid)});
  for (const auto& prefix : include.cgroup)
    rules_.push_back({.kind = Rule::Kind::kCgroup, .text = prefix});
}

void RuleMatches::note(const ProcessFacts& facts) {
  for (auto& rule : rules_) {
    if (rule.matched) continue;
    switch (rule.kind) {
      case Rule::Kind::kExecutable:
        rule.matched = !facts.exe_path.empty() && matches_executable(rule.text, facts.exe_path);
        break;
      case Rule::Kind::kPid:
        rule.matched = rule.text == std::to_string(facts.process.tgid);
        break;
      case Rule::Kind::kCgroup:
        rule.matched = facts.cgroup.starts_with(rule.text);
        break;
    }
  }
}

std::vector<std::string> RuleMatches::unmatched() const {
  static constexpr const char* kKeys[] = {"exe", "pid", "cgroup"};
  std::vector<std::string> rules;
  for (const auto& rule : rules_)
    if (!rule.matched)
      rules.push_back(std::string("targets.include.") + kKeys[static_cast<int>(rule.kind)] + ": '" +
                      rule.text + "'");
  return rules;
}

}  // namespace exa
