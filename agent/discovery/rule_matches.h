// Which include rules fit no process at all: a wrong name observes nothing, and nobody would know.
// Ports are not among them: the kernel judges those, connection by connection.
// Prober thread, owned by TargetFinder. As many entries as rules.
#pragma once

#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/discovery/proc_reader.h"

namespace exa {

class RuleMatches {
 public:
  explicit RuleMatches(const TargetPatterns& include);
  void note(const ProcessFacts& facts);
  // "targets.include.exe: 'ngnix'", in the order of the rules.
  [[nodiscard]] std::vector<std::string> unmatched() const;

 private:
  struct Rule {
    enum class Kind : std::uint8_t { kExecutable, kPid, kCgroup } kind;
    std::string text;
    bool matched = false;
  };
  std::vector<Rule> rules_;
};

}  // namespace exa
