#include "agent/discovery/rule_matches.h"

#include <gmock/gmock.h>

namespace exa {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ProcessFacts process_of(std::uint32_t tgid, std::string exe, std::string cgroup) {
  ProcessFacts facts;
  facts.process.tgid = tgid;
  facts.exe_path = std::move(exe);
  facts.cgroup = std::move(cgroup);
  return facts;
}

TEST(RuleMatches, NamesTheRulesThatFitNobody) {
  RuleMatches matches({.exe = {"ngnix", "/usr/sbin/*"},
                       .pid = {17, 18},
                       .cgroup = {"/system.slice/nginx.service", "/nowhere"}});
  matches.note(process_of(18, "/usr/sbin/nginx", "/system.slice/nginx.service/worker"));
  matches.note(process_of(19, "", ""));
  EXPECT_THAT(matches.unmatched(),
              ElementsAre("targets.include.exe: 'ngnix'", "targets.include.pid: '17'",
                          "targets.include.cgroup: '/nowhere'"));
}

TEST(RuleMatches, WithoutRulesNothingIsUnmatched) {
  EXPECT_THAT(RuleMatches({}).unmatched(), IsEmpty());
  EXPECT_THAT(RuleMatches({.port = {80}}).unmatched(), IsEmpty()) << "the kernel judges ports";
}

}  // namespace
}  // namespace exa
