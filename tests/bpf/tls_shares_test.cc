// A process with more TLS connections, or goroutines, than its share leaves room for the others.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "exa/abi/tls.h"
#include "tests/bpf/tls_library.h"

namespace exa::test {
namespace {

constexpr std::uint64_t kShare = EXA_TLS_ENTRIES / 2;

class TlsShares : public TlsLibrary {
 protected:
  static void write_on_streams(std::uint64_t first, std::uint64_t count, std::string_view text) {
    for (auto object = first; object < first + count; ++object)
      write(object, text);
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
