// The TLS programs load beside the socket programs, within the bound on what is verified.
#include "agent/kernel/tls_programs.h"

#include <fcntl.h>
#include <unistd.h>

#include "tests/bpf/capture_fixture.h"

namespace exa::test {
namespace {

class Tls : public Capture {
 protected:
  void SetUp() override {
    Capture::SetUp();
    if (IsSkipped()) return;
    if (!kernel::probe_kernel_features().has(kernel::FeatureId::kUprobeMulti))
      GTEST_SKIP() << "this kernel has no uprobe_multi links";
  }
  const kernel::CaptureConfig config_{
      .event_rings = kernel::suggested_event_rings(), .call_sleeps = true, .tls = true};
};

TEST_F(Tls, StaysWithinTheBudgetOfInstructions) {
  start(config_);
  for (const auto& program : programs_->figures())
    EXPECT_LT(program.verified_instructions, 200'000u) << program.name;
  const auto tls = kernel::TlsPrograms::load(*programs_, config_);
  ASSERT_TRUE(tls) << tls.error().text;
  EXPECT_EQ(tls->figures().size(), 3u);
  for (const auto& program : tls->figures()) {
    EXPECT_GT(program.verified_instructions, 0u) << program.name;
    EXPECT_LT(program.verified_instructions, 200'000u) << program.name;
  }
}

TEST_F(Tls, KnowsWhichProcessesAreExcluded) {
  start(config_);
  const auto tls = kernel::TlsPrograms::load(*programs_, config_);
  ASSERT_TRUE(tls) << tls.error().text;
  const auto own = static_cast<std::uint32_t>(::getpid());
  EXPECT_FALSE(tls->is_excluded(own));
  ASSERT_TRUE(programs_->exclude_for_good(own));
  EXPECT_TRUE(tls->is_excluded(own));
}

TEST_F(Tls, RefusesAFileThatCannotBeProbed) {
  start(config_);
  const auto tls = kernel::TlsPrograms::load(*programs_, config_);
  ASSERT_TRUE(tls) << tls.error().text;
  const kernel::TlsProbe nowhere{
      .kind = EXA_TLS_PROBE_WRITE, .shape = EXA_TLS_SHAPE_SIZED, .file_offset = 0};
  const UniqueFd folder(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  EXPECT_FALSE(tls->attach(folder.get(), std::span(&nowhere, 1)));
}

}  // namespace
}  // namespace exa::test
