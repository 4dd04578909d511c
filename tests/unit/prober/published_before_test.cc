#include "agent/run/prober/published_before.h"

#include <gtest/gtest.h>

namespace exa {
namespace {

ProcessFacts process(std::uint32_t tgid, std::uint64_t start_time_ns = 1,
                     const std::string& exe_path = "/usr/bin/python3") {
  ProcessFacts facts;
  facts.process = {.tgid = tgid, .start_time_ns = start_time_ns};
  facts.exe_path = exe_path;
  return facts;
}
const OtelEnvironment kShop{.service_name = "shop", .resource_attributes = "team=a"};

TEST(PublishedBefore, IsOfThatProcessAndProgramOnly) {
  PublishedBefore before;
  before.note(process(7), kShop);
  EXPECT_EQ(before.of(process(7)), kShop);
  EXPECT_EQ(before.of(process(8)), OtelEnvironment{});
  EXPECT_EQ(before.of(process(7, 2)), OtelEnvironment{}) << "another one with its number";
  EXPECT_EQ(before.of(process(7, 1, "/bin/sh")), OtelEnvironment{}) << "another program";
}

TEST(PublishedBefore, WhatIsPublishedNoLongerIsForgotten) {
  PublishedBefore before;
  before.note(process(7), kShop);
  before.note(process(7), {});
  EXPECT_EQ(before.of(process(7)), OtelEnvironment{});
}

TEST(PublishedBefore, IsBounded) {
  PublishedBefore before;
  for (std::uint32_t tgid = 1; tgid <= PublishedBefore::kMax + 1; ++tgid)
    before.note(process(tgid), kShop);
  EXPECT_EQ(before.of(process(1)), OtelEnvironment{});
  EXPECT_EQ(before.of(process(PublishedBefore::kMax + 1)), kShop);
}

}  // namespace
}  // namespace exa
