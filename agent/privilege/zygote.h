// The process that forks readers: processes without privilege which read what strangers can hold up
// (their files, their memory through /proc) or craft. Made while the agent has one thread and no
// BPF object, so that a reader holds nothing of value and may hang for good: what it waits for may
// not even end by SIGKILL.
//
// It reads nothing itself. One privilege is left to it, and it is not in force: a reader may open
// the one file it was made for with CAP_DAC_READ_SEARCH, and gives that up before it reads. When
// the prober is gone it ends all readers, and the pipeline too, which may be stopped and see
// nothing.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <mutex>

#include "exa/base/result.h"
#include "exa/base/unique_fd.h"

namespace exa {

enum class ReaderKind : std::uint32_t {
  kTexts = 1,  // answers until its socket closes, without any privilege
  kFile = 2,   // opens one file, and answers about it
};

// Runs in the reader; the result is its exit code. It begins as the zygote is, and gives that up
// with confine_reader() before it reads a byte of strangers.
using ReaderBody = std::function<int(ReaderKind kind, int socket)>;

struct StartedReader {
  pid_t pid = 0;
  UniqueFd socket;  // SOCK_SEQPACKET; hangs up when the reader is really gone
  std::uint32_t number = 0;
};

// The prober's hold on the zygote. Any thread; one request at a time.
class Zygote {
 public:
  static constexpr std::size_t kMaxReaders = 32;

  // Called while the process has one thread. The zygote is no child of this process. uid: the
  // pipeline's, so that it may end that one; kept as it is where changing it is not permitted.
  static Result<Zygote> start(const ReaderBody& body, std::uint32_t uid);

  Zygote(Zygote&& other) noexcept : control_(std::move(other.control_)) {}
  Zygote& operator=(Zygote&&) = delete;

  Result<StartedReader> start_reader(ReaderKind kind);
  // It may not end: see above. Its socket tells.
  void end_reader(std::uint32_t number);
  // Ends when the prober does, however that ends and whatever state it is in.
  Result<> end_with_us(int pidfd);

  // Hangs up when the zygote is gone.
  [[nodiscard]] int fd() const { return control_.get(); }

 private:
  explicit Zygote(UniqueFd control) : control_(std::move(control)) {}

  std::mutex mutex_;
  UniqueFd control_;
  std::uint32_t next_number_ = 1;
};

// Opens what an O_PATH descriptor stands for, with the reader's one privilege, for reading.
Result<UniqueFd> open_as_reader(int place_fd);

// No capability, a bound on memory and time, and no system call but those that read, compute and
// answer.
Result<> confine_reader(ReaderKind kind);

}  // namespace exa
