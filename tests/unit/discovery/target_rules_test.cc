// Which processes are observed.
#include <gmock/gmock.h>

#include "agent/discovery/target_builder.h"

namespace exa {
namespace {

const HostIdentity kHost{.host_name = "web1", .agent_version = "9.9.9"};

ProcessFacts nginx() {
  ProcessFacts facts;
  facts.process = {.tgid = 42, .start_time_ns = 1'230'000'000};
  facts.comm = "nginx";
  facts.exe_path = "/usr/sbin/nginx";
  return facts;
}

bool is_observed(const TargetSettings& settings, const ProcessFacts& facts) {
  return judge(settings, facts) == Judgement::kObserved;
}

TEST(TargetRules, EverythingIsObservedByDefault) {
  EXPECT_TRUE(is_observed({}, nginx()));
}

TEST(TargetRules, IncludeAndExclude) {
  auto facts = nginx();
  facts.cgroup = "/system.slice/nginx.service";
  EXPECT_TRUE(is_observed({.include = {.exe = {"*/nginx"}}}, facts));
  EXPECT_TRUE(is_observed({.include = {.exe = {"nginx"}}}, facts));
  EXPECT_FALSE(is_observed({.include = {.exe = {"ngin"}}}, facts));
  EXPECT_FALSE(is_observed({.include = {.exe = {"/usr/bin/*"}}}, facts));
  EXPECT_TRUE(is_observed({.include = {.pid = {42}}}, facts));
  EXPECT_FALSE(is_observed({.include = {.pid = {43}}}, facts));
  EXPECT_TRUE(is_observed({.include = {.exe = {"curl"}, .cgroup = {"/system.slice"}}}, facts));
  EXPECT_FALSE(is_observed({.exclude = {.exe = {"nginx"}}}, facts));
  EXPECT_FALSE(is_observed({.include = {.pid = {42}}, .exclude = {.cgroup = {"/system"}}}, facts));
}

TEST(TargetRules, AProcessKnownByNameOnlyIsJudgedByTheLastComponent) {
  EXPECT_TRUE(matches_executable("*/curl", "curl"));
  EXPECT_TRUE(matches_executable("/usr/bin/cur?", "curl"));
  EXPECT_FALSE(matches_executable("*/nginx", "curl"));
  EXPECT_FALSE(matches_executable("/usr/bin/*", "curl"));
  EXPECT_FALSE(matches_executable("/usr/bin/", "curl"));
}

// A process that was gone before it was looked at, and whose path and cgroup nobody knows.
TEST(TargetRules, WhatANameDecidesIsDecidedAndTheRestIsNotObserved) {
  ProcessFacts curl;
  curl.process.tgid = 42;
  curl.exe_path = "curl";
  const auto include = [&](TargetPatterns patterns) {
    return judge({.include = std::move(patterns)}, curl);
  };
  const auto exclude = [&](TargetPatterns patterns) {
    return judge({.exclude = std::move(patterns)}, curl);
  };
  EXPECT_EQ(judge({}, curl), Judgement::kObserved);
  EXPECT_EQ(include({.exe = {"*/curl"}}), Judgement::kObserved);
  EXPECT_EQ(include({.exe = {"cur?"}}), Judgement::kObserved);
  EXPECT_EQ(include({.exe = {"*/nginx"}}), Judgement::kExcluded);
  EXPECT_EQ(include({.pid = {42}}), Judgement::kObserved);
  EXPECT_EQ(exclude({.exe = {"*/cur*"}}), Judgement::kExcluded);
  EXPECT_EQ(exclude({.exe = {"*/nginx"}}), Judgement::kObserved);
  EXPECT_EQ(include({.exe = {"/usr/bin/curl"}}), Judgement::kUndecided) << "there are others";
  EXPECT_EQ(exclude({.exe = {"/usr/bin/curl"}}), Judgement::kUndecided);
  EXPECT_EQ(exclude({.exe = {"/opt/secret/*"}}), Judgement::kUndecided);
  EXPECT_EQ(exclude({.exe = {"*/ngi*"}}), Judgement::kUndecided) << "/opt/nginx/curl";
  EXPECT_EQ(exclude({.cgroup = {"/secret"}}), Judgement::kUndecided);
  EXPECT_EQ(judge({.include = {.exe = {"*/curl"}}, .exclude = {.cgroup = {"/secret"}}}, curl),
            Judgement::kUndecided);
}

TEST(TargetRules, WhereNothingIsExcludedNobodyWaits) {
  EXPECT_FALSE(may_exclude({}));
  EXPECT_FALSE(may_exclude({.include = {.port = {80}}}));
  EXPECT_TRUE(may_exclude({.include = {.exe = {"*/nginx"}}}));
  EXPECT_TRUE(may_exclude({.exclude = {.cgroup = {"/secret"}}}));
}

TEST(TargetRules, PortsAreNotJudgedHere) {
  EXPECT_TRUE(is_observed({.include = {.port = {80}}, .exclude = {.port = {80}}}, nginx()));
}

}  // namespace
}  // namespace exa
