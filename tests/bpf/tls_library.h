// A TLS library that this test program is itself: its write is probed like any other's.
#pragma once

#include <optional>
#include <string_view>

#include "agent/kernel/tls_programs.h"
#include "tests/bpf/capture_fixture.h"

namespace exa::test {

class TlsLibrary : public Capture {
 protected:
  void SetUp() override;
  void TearDown() override;

  // On the connection of that number.
  static void write(std::uint64_t connection, std::string_view text);

  static constexpr std::string_view kNoMessage{"\1\2\3\4\5\6\7\0", 8};
  kernel::CaptureConfig config_{.event_rings = kernel::suggested_event_rings(), .tls = true};
  std::optional<kernel::TlsPrograms> tls_;
  std::optional<kernel::TlsPrograms::Attachment> probes_;
};

}  // namespace exa::test
