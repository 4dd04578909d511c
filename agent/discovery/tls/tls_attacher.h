// Which processes have which TLS library, and the probes in the files they map: one attachment a
// file, in force for every process that maps it, gone some time after the last of them.
// Thread of TlsWatch only. Owned by it. At most kMaxProcesses and kMaxFiles are remembered.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/discovery/tls/attach_plan.h"
#include "agent/discovery/tls/plan_cache.h"
#include "exa/base/result.h"
#include "exa/base/time.h"

namespace exa {

// What a process of the status table uses TLS by.
struct TlsUse {
  std::string path;     // as the process sees it
  std::string library;  // "OpenSSL" ...; empty if none
  std::string build_id;
  std::string reason;  // a sentence: read by probes, or why not
  std::size_t probes = 0;
};

struct TlsProcess {
  std::uint32_t tgid = 0;
  std::string executable;
  std::vector<TlsUse> uses;  // never empty
};

struct TlsFigures {
  std::uint64_t looks = 0;           // processes looked at
  std::uint64_t looks_failed = 0;    // gone, or not readable
  std::uint64_t files_attached = 0;  // since the start
  std::uint64_t files_detached = 0;
  std::uint64_t attach_failures = 0;
  std::uint64_t files_over_limit = 0;
  std::uint64_t processes_over_limit = 0;
};

// TLS libraries that lie where programs of this host find them; some may not exist.
[[nodiscard]] std::vector<std::string> host_library_paths();

class TlsAttacher {
 public:
  static constexpr std::size_t kMaxProcesses = 8192;
  static constexpr std::size_t kMaxFiles = 512;
  static constexpr Duration kDetachAfter = std::chrono::seconds(30);

  using Attachment = std::shared_ptr<void>;  // the probes are gone with the last copy
  struct Kernel {
    std::function<Result<Attachment>(int file_fd, const AttachPlan& plan)> attach;
    // This executable has no TLS library in it: need not be told about when it is run.
    std::function<void(std::uint64_t device, std::uint64_t inode)> mark_dull;
    // Not observed, by configuration. Processes not judged yet are observed.
    std::function<bool(std::uint32_t tgid)> is_excluded;
  };

  // ignored: executables by name, whose processes give no cause to probe anything.
  TlsAttacher(Kernel kernel, std::vector<std::string> ignored, std::uint32_t own_tgid);
  // Takes the probes out of all files, side by side: each makes the kernel wait some 100 ms.
  ~TlsAttacher();
  TlsAttacher(TlsAttacher&&) = default;
  TlsAttacher& operator=(TlsAttacher&&) = delete;

  // Libraries of the host where programs find them: probed before the first program maps them, so
  // that no byte of a short-lived client is missed. Held for good.
  void attach_host_libraries();

  // Reads what the process maps, and attaches to what carries TLS.
  // Processes without any are only remembered if they are seen to speak TLS. An excluded process
  // gives no cause to probe anything, and lets go what it held.
  void look_at(std::uint32_t tgid, bool speaks_tls, MonotonicTime now);
  void forget(std::uint32_t tgid, MonotonicTime now);

  // Forgets processes that are gone, and detaches files that nobody has mapped for kDetachAfter.
  void tidy(MonotonicTime now);

  [[nodiscard]] const std::map<std::uint32_t, TlsProcess>& processes() const { return processes_; }
  [[nodiscard]] const TlsFigures& figures() const { return figures_; }
  [[nodiscard]] std::size_t attached_files() const { return files_.size(); }

 private:
  struct AttachedFile {
    Attachment attachment;
    std::string failure;
    std::size_t probes = 0;
    std::set<std::uint32_t> holders;  // processes; empty: since when
    MonotonicTime unheld_since;
    bool for_good = false;
  };

  AttachedFile* attach(int file_fd, const FileIdentity& identity, const AttachPlan& plan);
  // Lets go the files that the process held, but for those still in use.
  void release(std::uint32_t tgid, const std::set<FileIdentity>& still, MonotonicTime now);

  Kernel kernel_;
  std::set<std::string, std::less<>> ignored_;
  std::uint32_t own_tgid_;
  PlanCache plans_;
  std::map<FileIdentity, AttachedFile> files_;
  std::map<std::uint32_t, TlsProcess> processes_;
  TlsFigures figures_;
};

// "OpenSSL", "GnuTLS" ...
[[nodiscard]] std::string_view library_name(TlsLibrary library);

}  // namespace exa
