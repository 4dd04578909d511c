// Which files get probes, and when they lose them. The observed process is this one, which maps
// OpenSSL's library from a copy of its own; the kernel is a count.
#include "agent/discovery/tls/tls_attacher.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>

#include "tests/support/elf_samples.h"

namespace exa {
namespace {

using namespace test;
using namespace std::chrono_literals;

const auto kTgid = static_cast<std::uint32_t>(::getpid());
constexpr MonotonicTime kNow{.ns = 1'000'000'000'000};

class Attacher : public testing::Test {
 protected:
  Attacher() {
    const std::string copy = folder_.file("libssl.so.3");
    std::filesystem::copy_file(kLibSsl, copy);
    library_ = ::dlopen(copy.c_str(), RTLD_NOW | RTLD_LOCAL);
    EXPECT_NE(library_, nullptr) << ::dlerror();
  }
  ~Attacher() override { ::dlclose(library_); }

  TlsAttacher attacher(std::vector<std::string> ignored = {}) {
    return {{.attach = [this](int, const AttachPlan&) -> Result<TlsAttacher::Attachment> {
               ++attached_;
               return TlsAttacher::Attachment(this, [this](void*) { --attached_; });
             },
             .mark_dull = [](std::uint64_t, std::uint64_t) {},
             .is_excluded = [this](std::uint32_t) { return excluded_; }},
            std::move(ignored),
            0};
  }

  TemporaryFolder folder_;
  void* library_ = nullptr;
  std::atomic<int> attached_ = 0;  // probes go on threads of their own
  bool excluded_ = false;
};

TEST_F(Attacher, ProbesWhatAProcessMaps) {
  auto tls = attacher();
  tls.look_at(kTgid, true, kNow);
  EXPECT_GE(attached_, 1);
  ASSERT_TRUE(tls.processes().contains(kTgid));
  EXPECT_EQ(tls.processes().at(kTgid).uses.front().library, "OpenSSL");
  // Once a file, however often it is looked at.
  const int before = attached_;
  tls.look_at(kTgid, true, kNow);
  EXPECT_EQ(attached_, before);
}

TEST_F(Attacher, LeavesAnExcludedProcessAlone) {
  auto tls = attacher();
  excluded_ = true;
  tls.look_at(kTgid, true, kNow);
  EXPECT_EQ(attached_, 0);
  EXPECT_FALSE(tls.processes().contains(kTgid));
}

TEST_F(Attacher, TakesTheProbesAwaySomeTimeAfterTheLastObservedUser) {
  auto tls = attacher();
  tls.look_at(kTgid, true, kNow);
  ASSERT_GE(attached_, 1);
  excluded_ = true;
  tls.look_at(kTgid, true, kNow);
  tls.tidy(kNow + (TlsAttacher::kDetachAfter - 1s));
  EXPECT_GE(attached_, 1);
  tls.tidy(kNow + TlsAttacher::kDetachAfter);
  EXPECT_EQ(attached_, 0);
  EXPECT_EQ(tls.figures().files_detached, tls.figures().files_attached);
}

TEST_F(Attacher, KeepsProbesThatComeBackIntoUse) {
  auto tls = attacher();
  tls.look_at(kTgid, true, kNow);
  const int before = attached_;
  excluded_ = true;
  tls.look_at(kTgid, true, kNow);
  excluded_ = false;
  tls.look_at(kTgid, true, kNow);
  tls.tidy(kNow + 2 * TlsAttacher::kDetachAfter);
  EXPECT_EQ(attached_, before);
}

TEST_F(Attacher, DoesNotProbeForIgnoredPrograms) {
  const auto own = std::filesystem::read_symlink("/proc/self/exe").filename();
  auto tls = attacher({own});
  tls.look_at(kTgid, true, kNow);
  EXPECT_EQ(attached_, 0);
  ASSERT_TRUE(tls.processes().contains(kTgid));
  EXPECT_EQ(tls.processes().at(kTgid).uses.front().reason, "ignored by configuration");
}

}  // namespace
}  // namespace exa
