// Which processes have which TLS library, and which files of theirs get probes.
//
// Looking at a process tells at once what is known of the files it maps; files that are not known
// yet are read one at a time by readers, in fair turns (ReadingTurns), and probed within shares
// (ProbedFiles), so that no process keeps the others waiting or uses up their places.
// Thread of TlsWatch only. Owned by it. At most kMaxProcesses are remembered.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/discovery/tls/foreign_files.h"
#include "agent/discovery/tls/memory_locks.h"
#include "agent/discovery/tls/plan_cache.h"
#include "agent/discovery/tls/probed_files.h"
#include "agent/discovery/tls/reading_turns.h"
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
  std::uint64_t connections = 0;  // of this process, that the reason is about
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
  std::uint64_t files_written = 0;  // somebody wrote to them: detached at once
  std::uint64_t attach_failures = 0;
  std::uint64_t attach_postponed = 0;   // somebody held the lock of a process' memory
  std::uint64_t files_over_limit = 0;   // no place left for anybody
  std::uint64_t files_over_share = 0;   // the share of the process or its user is used up
  std::uint64_t files_over_budget = 0;  // not read: the process took its time
  std::uint64_t files_held_up = 0;      // their readers, or those of a process' mappings
  std::uint64_t files_unread = 0;       // for other reasons of readers
  std::uint64_t files_refused = 0;      // by their file system
  std::uint64_t processes_over_limit = 0;
};

// TLS libraries that lie where programs of this host find them; some may not exist.
[[nodiscard]] std::vector<std::string> host_library_paths();

class TlsAttacher {
 public:
  static constexpr std::size_t kMaxProcesses = 8192;
  static constexpr std::size_t kMaxLooks = 4096;  // with files to be read
  // Most files take milliseconds. What takes longer waits until all others were read.
  // Connections that are older than we are have shown theirs by then, if they are in use.
  static constexpr Duration kTablesTold = std::chrono::seconds(15);
  static constexpr Duration kPatienceToEnd = std::chrono::milliseconds(300);
  static constexpr ReadLimits kFirstLimits{.duration = std::chrono::milliseconds(500)};
  static constexpr ReadLimits kSecondLimits{.duration = std::chrono::milliseconds(2000)};

  struct Kernel {
    // What is returned loses its probes by itself when somebody writes to the file.
    std::function<Result<ProbedFiles::Attachment>(int file_fd, const FileIdentity& file,
                                                  const AttachPlan& plan)>
        attach;
    // Files that did since the last call.
    std::function<std::vector<FileIdentity>()> written;
    // Processes whose memory is locked at the moment. See MemoryLocks.
    MemoryLocks::Locked locked;
    // This executable has no TLS library in it: need not be told about when it is run. As a
    // mapping tells it.
    std::function<void(std::uint32_t device, std::uint64_t inode)> mark_dull;
    // Not observed, by configuration. Processes not judged yet are observed.
    std::function<bool(std::uint32_t tgid)> is_excluded;
    // Programs of Go tell no tables any longer.
    std::function<void()> end_tables;
  };

  // ignored: executables by name, whose processes give no cause to probe anything.
  TlsAttacher(Kernel kernel, ForeignFiles foreign, std::vector<std::string> ignored,
              std::uint32_t own_tgid);
  ~TlsAttacher();
  TlsAttacher(TlsAttacher&&) = default;
  TlsAttacher& operator=(TlsAttacher&&) = delete;

  // Libraries of the host where programs find them: probed before the first program maps them, so
  // that no byte of a short-lived client is missed. Held for good.
  void attach_host_libraries(const std::vector<std::string>& paths);

  // Lists what the process maps, and settles what is known of it; the rest waits for its turn.
  // Processes without any TLS are only remembered if they are seen to speak it. An excluded process
  // gives no cause to probe anything, and lets go what it held.
  void look_at(std::uint32_t tgid, bool speaks_tls, MonotonicTime now);
  // For a process whose TLS goes through no probe: what its libraries hold is searched for, too.
  void search(std::uint32_t tgid, MonotonicTime now);
  void forget(std::uint32_t tgid, MonotonicTime now);

  [[nodiscard]] bool has_turns() const { return !looks_.empty(); }
  // Reads the file whose turn it is.
  void take_turn(MonotonicTime now);

  // Files that were written to: whoever maps them is looked at anew.
  void forget_written(MonotonicTime now);
  // Forgets processes that are gone, and detaches files that nobody has mapped for some time.
  void tidy(MonotonicTime now);

  // Once the time for tables is over, and no fork would wait for it.
  void end_tables(MonotonicTime now);

  [[nodiscard]] const std::map<std::uint32_t, TlsProcess>& processes() const { return processes_; }
  [[nodiscard]] const TlsFigures& figures() const { return figures_; }
  [[nodiscard]] std::size_t attached_files() const { return files_.size(); }

 private:
  // A process that is being looked at.
  struct Look {
    UniqueFd process;
    std::uint32_t owner = 0;
    std::string account;
    bool speaks_tls = false;
    bool thorough = false;
    std::deque<MappedImage> unread;
    std::deque<MappedImage> slow;  // read once, and not to their end
    std::set<FileIdentity> held;
    TlsVerdict verdict = TlsVerdict::kNoLibrary;
    std::string told_by;
    std::vector<TlsUse> uses;
    std::map<std::string, std::size_t> left_out;  // reason, and how many files
    std::string left_out_path;
    std::string executable;
  };
  struct Waiting {
    std::uint32_t tgid;
    Look look;
  };

  void look(std::uint32_t tgid, Look look, MonotonicTime now);
  bool settle(std::uint32_t tgid, Look& look, const MappedImage& image);
  void take_verdict(Look& look, const MappedImage& image, const AttachPlan& plan);
  void read(std::uint32_t tgid, Look& look, const MappedImage& image, bool again);
  void probe(std::uint32_t tgid, Look& look, const MappedImage& image, int place_fd,
             const AttachPlan& plan);
  static void hold(std::uint32_t tgid, Look& look, const MappedImage& image,
                   ProbedFiles::File& file);
  static void leave_out(Look& look, const MappedImage& image, const std::string& reason);
  ProbedFiles::File attached(int place_fd, const FileIdentity& identity, const AttachPlan& plan);
  // The process for whose memory the kernel would wait with all forks locked out. Who holds it is
  // waited for as long as that.
  std::optional<std::uint32_t> held_up_by(const FileIdentity* file, Duration patience);
  bool maps(std::uint32_t tgid, const FileIdentity& file);
  // What is known by now becomes what is told of the process.
  void remember(std::uint32_t tgid, const Look& look);
  void finish(std::uint32_t tgid, const Look& look, MonotonicTime now);

  Kernel kernel_;
  ForeignFiles foreign_;
  std::set<std::string, std::less<>> ignored_;
  std::uint32_t own_tgid_;
  PlanCache plans_;
  ProbedFiles files_;
  ReadingTurns turns_;
  std::vector<Waiting> looks_;  // in the order in which they came
  std::map<std::uint32_t, TlsProcess> processes_;
  MonotonicTime tables_until_;  // unknown at first
  bool tables_ended_ = false;
  TlsFigures figures_;
};

}  // namespace exa
