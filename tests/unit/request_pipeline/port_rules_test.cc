// Which finished exchanges are of an observed port.
#include "agent/request_pipeline/port_rules.h"

#include <gtest/gtest.h>

namespace exa {
namespace {

Exchange between(std::uint16_t local, std::uint16_t remote) {
  Exchange exchange;
  exchange.local.port = local;
  exchange.remote.port = remote;
  return exchange;
}

TEST(PortRules, WithoutRulesEverythingIsObserved) {
  EXPECT_TRUE(PortRules{}.admit(between(0, 0)));
  EXPECT_TRUE(PortRules{}.admit(between(8080, 40'000)));
}

TEST(PortRules, EitherPortOfAConnectionMatches) {
  const PortRules rules{.included = {443, 8080}, .excluded = {}};
  EXPECT_TRUE(rules.admit(between(8080, 40'000))) << "a server";
  EXPECT_TRUE(rules.admit(between(40'000, 443))) << "a client";
  EXPECT_FALSE(rules.admit(between(40'000, 80)));
}

TEST(PortRules, ExclusionGoesFirst) {
  const PortRules rules{.included = {8080}, .excluded = {40'000}};
  EXPECT_FALSE(rules.admit(between(8080, 40'000)));
  EXPECT_TRUE(rules.admit(between(8080, 40'001)));
}

TEST(PortRules, WhatIsNotKnownIsNotObservedWithoutProof) {
  auto proven = between(0, 0);
  proven.ports_proven = true;
  EXPECT_TRUE((PortRules{.included = {443}, .excluded = {}}.admit(proven)));
  EXPECT_FALSE((PortRules{.included = {443}, .excluded = {}}.admit(between(0, 0))));
  EXPECT_FALSE((PortRules{.included = {}, .excluded = {443}}.admit(between(0, 0))));
}

}  // namespace
}  // namespace exa
