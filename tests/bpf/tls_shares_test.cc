// A process with more TLS connections, or goroutines, than its share leaves room for the others.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "agent/kernel/tls_programs.h"
#include "exa/abi/tls.h"
#include "tests/bpf/capture_fixture.h"

// What a library would export. The test probes its own program.
extern "C" [[gnu::noinline, gnu::used]] long exa_test_tls_write(const void* object,
                                                                const void* buffer, long size) {
  asm volatile("" : : "r"(object), "r"(buffer) : "memory");
  return size;
}

namespace exa::test {
namespace {

constexpr std::uint64_t kShare = EXA_TLS_ENTRIES / 2;

std::uint64_t file_offset_of(const void* function) {
  const auto address = reinterpret_cast<std::uint64_t>(function);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream fields(line);
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t offset = 0;
    std::string rights;
    char dash = 0;
    fields >> std::hex >> begin >> dash >> end >> rights >> offset;
    if (begin <= address && address < end) return address - begin + offset;
  }
  return 0;
}

class TlsShares : public Capture {
 protected:
  void SetUp() override {
    Capture::SetUp();
    if (IsSkipped()) return;
    if (!kernel::probe_kernel_features().has(kernel::FeatureId::kUprobeMulti))
      GTEST_SKIP() << "this kernel has no uprobe_multi links";
    start(config_);
    auto tls = kernel::TlsPrograms::load(*programs_, config_);
    ASSERT_TRUE(tls) << tls.error().text;
    tls_.emplace(std::move(*tls));
    const kernel::TlsProbe probe{
        .kind = EXA_TLS_PROBE_WRITE,
        .shape = EXA_TLS_SHAPE_SIZED,
        .file_offset = file_offset_of(reinterpret_cast<const void*>(&exa_test_tls_write))};
    const UniqueFd own(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    auto attached = tls_->attach(own.get(), std::span(&probe, 1));
    ASSERT_TRUE(attached) << attached.error().text;
    probes_.emplace(std::move(*attached));
  }
  void TearDown() override {
    probes_.reset();
    tls_.reset();
    Capture::TearDown();
  }
  static void write_on_streams(std::uint64_t first, std::uint64_t count, std::string_view text) {
    for (auto object = first; object < first + count; ++object)
      exa_test_tls_write(reinterpret_cast<const void*>(object * 64), text.data(),
                         static_cast<long>(text.size()));
  }
  template <typename Body>
  static void in_another_process(Body body) {
    const pid_t child = ::fork();
    if (child == 0) {
      body();
      ::_exit(0);
    }
    EXPECT_EQ(::waitpid(child, nullptr, 0), child);
  }

  static constexpr std::string_view kNoMessage{"\1\2\3\4\5\6\7\0", 8};
  const kernel::CaptureConfig config_{.event_rings = kernel::suggested_event_rings(), .tls = true};
  std::optional<kernel::TlsPrograms> tls_;
  std::optional<kernel::TlsPrograms::Attachment> probes_;
};

TEST_F(TlsShares, AProcessWithTooManyStreamsLeavesRoomForOthers) {
  const auto own = static_cast<std::uint32_t>(::getpid());
  write_on_streams(1, kShare + 5'000, kNoMessage);
  EXPECT_EQ(count(EXA_COUNTER_TLS_DROPPED_STREAM_SHARE), 5'000u);
  in_another_process([] { write_on_streams(1, 20, kRequest); });
  EXPECT_EQ(count(EXA_COUNTER_EMITTED_TLS_CHUNK), 20u);
  EXPECT_EQ(count(EXA_COUNTER_TLS_DROPPED_NO_STATE), 0u);

  const auto told = programs_->noisy_processes();
  const auto ours = std::ranges::find(told, own, &kernel::NoisyProcess::tgid);
  ASSERT_NE(ours, told.end());
  EXPECT_EQ(ours->refused_tls_calls, 5'000u);
  EXPECT_EQ(ours->refused_chunks, 0u);
}

// The other process above is gone, and this one is not: what each holds stays right.
TEST_F(TlsShares, WhatTheGoneHeldIsFree) {
  in_another_process([] { write_on_streams(1, 1'000, kNoMessage); });
  const auto own = static_cast<std::uint32_t>(::getpid());
  write_on_streams(1, 10, kNoMessage);
  tls_->forget([&](std::uint32_t tgid) { return tgid != own; });
  write_on_streams(11, kShare, kNoMessage);
  EXPECT_EQ(count(EXA_COUNTER_TLS_DROPPED_STREAM_SHARE), 10u);
  tls_->forget([](std::uint32_t) { return true; });
  write_on_streams(1, kShare, kNoMessage);
  EXPECT_EQ(count(EXA_COUNTER_TLS_DROPPED_STREAM_SHARE), 10u);
}

}  // namespace
}  // namespace exa::test
