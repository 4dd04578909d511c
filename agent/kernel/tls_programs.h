// The BPF programs that read TLS plaintext, and their probes. Loaded apart from the socket
// programs, whose maps they share: where these cannot be loaded, plain traffic is observed all the
// same. Any one thread of the prober. Must not outlive the CapturePrograms it was loaded beside.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>

#include "agent/kernel/capture_programs.h"
#include "agent/kernel/uprobe_multi.h"
#include "exa/abi/connection_kinds.h"
#include "exa/abi/tls.h"
#include "exa/base/result.h"

struct tls_bpf;

namespace exa::kernel {

struct TlsProbe {
  exa_tls_probe kind;
  exa_tls_shape shape;
  std::uint64_t file_offset;
};

class TlsPrograms {
 public:
  static Result<TlsPrograms> load(const CapturePrograms& capture, const CaptureConfig& config);

  TlsPrograms(TlsPrograms&&) noexcept;
  TlsPrograms& operator=(TlsPrograms&&) noexcept;
  ~TlsPrograms();

  // The probes of one file. They are gone with the attachment.
  class Attachment {
   public:
    [[nodiscard]] std::size_t probes() const { return probes_; }
    // Tables are told no longer.
    void end_tables() { tables_ = {}; }

   private:
    friend class TlsPrograms;
    UprobeLink link_;
    UprobeLink tables_;
    std::size_t probes_ = 0;
  };
  [[nodiscard]] Result<Attachment> attach(int file_fd, std::span<const TlsProbe> probes) const;

  // Besides, at places in Go programs, which tables the heads of their connections refer to.
  Result<> tell_tables(Attachment& attachment, int file_fd, std::span<const TlsProbe> probes) const;

  // Writes a POSITION record for each announced TLS stream that moved on without one.
  Result<> sweep();
  // This executable need not be told about when it is run. Its numbers as a mapping tells them.
  void mark_dull(std::uint32_t device, std::uint64_t inode) const;
  // By the verdict that the socket programs go by.
  [[nodiscard]] bool is_excluded(std::uint32_t tgid) const;
  // Of which processes connections are TLS, and which are not read. Any thread.
  [[nodiscard]] std::map<std::uint32_t, exa_connection_counts> connections() const;
  // Deletes the streams of processes that are gone, and puts right what each of the others holds.
  void forget(const std::function<bool(std::uint32_t tgid)>& is_gone) const;

  [[nodiscard]] std::vector<ProgramFigures> figures() const;

 private:
  struct Loaded;
  explicit TlsPrograms(std::unique_ptr<Loaded> loaded);
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace exa::kernel
