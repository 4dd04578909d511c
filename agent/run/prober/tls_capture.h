// Capture of TLS plaintext as the prober starts it: the TLS programs of the kernel room under the
// process watch of the discovery room, which do not know each other, with a reader between them and
// the files of strangers.
// Owned by the prober, made after the pipeline was forked. Must go before the CapturePrograms.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "agent/discovery/tls/tls_attacher.h"
#include "agent/kernel/capture_programs.h"
#include "agent/kernel/mapping_iterator.h"
#include "agent/privilege/zygote.h"
#include "exa/base/result.h"

namespace exa {

// The TLS libraries of the host that can be opened without asking a server.
std::vector<std::string> reachable_host_libraries();

class TlsCapture {
 public:
  // ignored_executables: by name; their processes give no cause to probe anything. An error means
  // that TLS stays unread, and nothing else.
  static Result<std::unique_ptr<TlsCapture>> start(
      const kernel::CapturePrograms& capture, const kernel::CaptureConfig& config,
      std::shared_ptr<const kernel::MappingIterator> mappings,
      std::vector<std::string> ignored_executables, Zygote& zygote);
  ~TlsCapture();

  // A record of the control ring, of any type. Never blocks.
  void on_control_record(std::span<const std::byte> record);

  // The process is observed, or not, as it was not before. Never blocks.
  void on_verdict(std::uint32_t tgid);

  // Any thread. What was found in each process, as JSON.
  [[nodiscard]] std::string status() const;
  [[nodiscard]] TlsFigures figures() const;
  [[nodiscard]] bool probes_placed() const;

  // Takes the probes away; false where that takes longer, and the end of the process must do it.
  bool end_within(Duration patience);

 private:
  struct Parts;
  explicit TlsCapture(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace exa
