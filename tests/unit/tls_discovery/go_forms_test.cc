// The forms of Go's function table, and what makes a Go program unreadable.
#include <gmock/gmock.h>

#include "agent/discovery/tls/attachment_planner.h"
#include "tests/support/synthetic_go.h"

namespace exa {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<ProbeSite> kSites = {
    {TlsLibrary::kGo, TlsRole::kGoRead, ProbePoint::kEntry, SyntheticGo::kRead + 6},
    {TlsLibrary::kGo, TlsRole::kGoRead, ProbePoint::kReturn, SyntheticGo::kRead + 6},
    {TlsLibrary::kGo, TlsRole::kGoRead, ProbePoint::kReturn, SyntheticGo::kRead + 12},
    {TlsLibrary::kGo, TlsRole::kGoWrite, ProbePoint::kEntry, SyntheticGo::kWrite + 6},
};

TEST(GoForms, AllGiveTheSameSites) {
  for (const auto& [form, version] : {std::pair{GoForm::k116, "go1.17.13"},
                                      {GoForm::k118, "go1.18"},
                                      {GoForm::k120, "go1.26.8"}}) {
    MemoryFile file;
    write_synthetic_go(file, form, version);
    const auto plan = plan_attachment(file.fd());
    EXPECT_EQ(plan.verdict, TlsVerdict::kReadable) << version;
    EXPECT_EQ(plan.go_version, version);
    EXPECT_EQ(plan.sites, kSites) << version;
  }
}

TlsVerdict verdict_with(GoForm form, std::string_view version, std::uint64_t offset,
                        std::uint64_t value) {
  MemoryFile file;
  write_synthetic_go(file, form, version);
  file.put(offset, value);
  const auto plan = plan_attachment(file.fd());
  EXPECT_EQ(plan.readable(), !plan.sites.empty());
  return plan.verdict;
}

TEST(GoForms, AreUnreadableWhenTableAndProgramDisagree) {
  using S = SyntheticGo;
  const auto verdict = [](std::uint64_t offset, std::uint64_t value) {
    return verdict_with(GoForm::k120, "go1.22", offset, value);
  };
  EXPECT_EQ(verdict(S::kSize - 8, 0), TlsVerdict::kReadable);  // nothing of importance
  // A module record whose first or last function is not that of the table.
  EXPECT_EQ(verdict(S::kModule + 160, 1), TlsVerdict::kGoUnreadable);
  EXPECT_EQ(verdict(S::kModule + 168, 1), TlsVerdict::kGoUnreadable);
  // Code that does not begin as a Go function does, or is no code.
  EXPECT_EQ(verdict(S::kWrite, 0x9090909090909090), TlsVerdict::kGoUnreadable);
  EXPECT_EQ(verdict(S::kRead + 16, 0x0606060606060606), TlsVerdict::kGoUnreadable);
  // A table with more functions than there is room for, and one of an unknown form.
  EXPECT_EQ(verdict(S::kTable + 8, ~std::uint64_t{0}), TlsVerdict::kGoUnreadable);
  EXPECT_EQ(verdict(S::kTable, 0x08010000fffffff7), TlsVerdict::kGoUnreadable);
}

TEST(GoForms, WithoutTlsOrTooOldSaySo) {
  EXPECT_EQ(verdict_with(GoForm::k116, "go1.16.5", SyntheticGo::kSize - 8, 0), TlsVerdict::kGoOld);
  MemoryFile file;
  write_synthetic_go(file, GoForm::k120, "go1.22");
  file.write(SyntheticGo::kTable + 72,
             std::string("first\0crypto/tls.(*Conn).reaD\0crypto/tls.(*Conn).writE\0", 56));
  EXPECT_EQ(plan_attachment(file.fd()).verdict, TlsVerdict::kGoWithoutTls);
}

}  // namespace
}  // namespace exa
