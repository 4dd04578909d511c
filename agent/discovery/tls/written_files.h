// Takes the probes out of a file before anybody writes to it.
//
// The kernel keeps a probe by file and offset, with the instruction that it once found there. Where
// a file gets other code without becoming another file (cp, rsync --inplace, a compiler), it puts
// the breakpoint into that, and the next program that is started from it dies.
//
// A read lease (fcntl(2)) lets whoever opens the file for writing wait until the probes are out,
// which is some 50 ms; the kernel ends a wait after 45 s in any case. Where there can be no lease,
// as for files that do not belong to root, inotify tells of the write when it has begun; where
// there is no inotify either, times are compared. Those leave some 50 ms, or 150, in which a
// program that is started at once may still die.
//
// Any thread. A thread of its own takes probes out, since reading files or placing probes may take
// a while and this may not; it starts with the first file. At most as many files as ProbedFiles
// has. What keep() returned must not outlive this.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "agent/discovery/elf/file_identity.h"
#include "exa/base/result.h"
#include "exa/base/unique_fd.h"

namespace exa {

class WrittenFiles {
 public:
  using Attachment = std::shared_ptr<void>;  // the probes are gone with the last copy
  using Place = std::function<Result<Attachment>()>;

  struct Means {
    bool lease = true;
    bool inotify = true;  // which root may have used up
  };

  WrittenFiles() : WrittenFiles(Means{}) {}
  explicit WrittenFiles(Means means);
  ~WrittenFiles();
  WrittenFiles(const WrittenFiles&) = delete;
  WrittenFiles& operator=(const WrittenFiles&) = delete;

  // Places the probes. They are gone with the last copy of what is returned, or with the first
  // write to the file, whichever comes first. An error: they were not placed, or the file is not
  // any more what was read. The descriptor (O_PATH will do) is borrowed for the call.
  Result<Attachment> keep(int file_fd, const FileIdentity& file, const Place& place);

  // Which files lost their probes since the last call.
  [[nodiscard]] std::vector<FileIdentity> take_written();

 private:
  struct Kept;

  void run();
  void watch(Kept& kept, int file_fd);
  [[nodiscard]] UniqueFd leased(int file_fd) const;
  void forget(Kept& kept);
  void take_out(const std::function<bool(const Kept&)>& chosen);
  // The marks of files that were written to. False: some were lost.
  bool read_events(std::vector<int>& marks) const;
  [[nodiscard]] bool any_polled() const;

  const bool may_lease_;
  UniqueFd inotify_;
  UniqueFd wake_;
  std::atomic<pid_t> thread_id_ = 0;  // whom broken leases are told
  mutable std::mutex mutex_;          // of all below, and of what each Kept holds
  std::vector<Kept*> kept_;
  std::vector<FileIdentity> written_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace exa
