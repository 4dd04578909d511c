#include "agent/discovery/tls/plan_message.h"

#include <gmock/gmock.h>

#include "agent/discovery/tls/attachment_planner.h"
#include "tests/support/elf_samples.h"

namespace exa {
namespace {

using namespace test;

const AttachPlan kGo{
    .verdict = TlsVerdict::kReadable,
    .sites = {{TlsLibrary::kGo, TlsRole::kGoWrite, ProbePoint::kEntry, 0x1234},
              {TlsLibrary::kGo, TlsRole::kGoRead, ProbePoint::kReturn, 0xffff'ffff'0000}},
    .go_version = "go1.26.1",
    .build_id = "0123abcd"};

void expect_same(const AttachPlan& plan) {
  const auto decoded = decode_plan(encode_plan(plan));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->verdict, plan.verdict);
  EXPECT_EQ(decoded->sites, plan.sites);
  EXPECT_EQ(decoded->go_version, plan.go_version);
  EXPECT_EQ(decoded->build_id, plan.build_id);
  EXPECT_EQ(decoded->searched, plan.searched);
}

TEST(PlanMessage, ArrivesAsItWas) {
  expect_same(kGo);
  expect_same({});
  expect_same(plan_attachment(open_file(kLibSsl).get()));
  expect_same(plan_attachment(open_file("/bin/true").get()));
}

TEST(PlanMessage, HoldsTheLargestPlan) {
  auto plan = kGo;
  plan.sites.resize(kMaxSites, plan.sites[0]);
  expect_same(plan);
  EXPECT_LE(encode_plan(plan).size(), kMaxPlanMessageBytes);
}

TEST(PlanMessage, NothingThatContradictsItselfIsBelieved) {
  const auto whole = encode_plan(kGo);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(decode_plan(std::span(whole).first(size))) << size;
  const auto with = [&](std::size_t at, unsigned value) {
    auto bytes = whole;
    bytes.at(at) = static_cast<std::byte>(value);
    return decode_plan(bytes);
  };
  constexpr std::size_t kFirstSite = 20;
  EXPECT_FALSE(with(0, 200)) << "a verdict that there is not";
  EXPECT_FALSE(with(0, 1)) << "sites of what is not readable";
  EXPECT_FALSE(with(4, 1)) << "fewer sites than follow";
  EXPECT_FALSE(with(16, 2)) << "searched or not";
  EXPECT_FALSE(with(kFirstSite + 8, 4)) << "a library that there is not";
  EXPECT_FALSE(with(kFirstSite + 9, 24)) << "a role that there is not";
  EXPECT_FALSE(with(kFirstSite + 10, 2)) << "a point that there is not";
}

TEST(PlanMessage, TextsAreCleaned) {
  auto plan = kGo;
  plan.go_version = "go1\x1b[2J\xff";
  EXPECT_EQ(decode_plan(encode_plan(plan))->go_version, "go1?[2J?");
}

}  // namespace
}  // namespace exa
