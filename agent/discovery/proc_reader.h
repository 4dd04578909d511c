// Reads what /proc says of one process: bounded, and about that one process only. The directory is
// held open while its files are read, so a pid that is given out anew meanwhile never mixes in.
// Itself it reads only what the kernel knows (stat, status, cgroup, the name of the executable);
// what lies in the memory of the process is read by a reader, since that memory can hold anyone up.
// Prober thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/discovery/proc_parsers.h"
#include "agent/discovery/process_words.h"
#include "exa/model/target.h"

namespace exa {

inline constexpr std::size_t kMaxEnvironBytes = 128u << 10;
inline constexpr std::size_t kMaxCommandBytes = 128u << 10;  // class paths are long
inline constexpr std::size_t kMaxProcTextBytes = 16u << 10;

struct ProcessFacts {
  ProcessIdentity process;  // start time in whole ticks, see tick_start_ns()
  std::string comm;
  std::string exe_path;  // empty if it cannot be read; without " (deleted)"
  std::string cgroup;
  std::string script;           // of the program that its interpreter runs, see program_name()
  OtelEnvironment environment;  // or as its SDK publishes it
  bool is_kernel_thread = false;
  bool forked = false;  // all this is of the program that its parent ran: there was no exec
};

// Who reads for the prober what the process's SDK publishes, see published_resource.h; all empty:
// nothing. facts: but for the environment.
using PublishedReader =
    std::function<OtelEnvironment(const ProcessFacts& facts, int process_fd, std::uint32_t owner)>;

// start_boottime as /proc can tell it: cut to the ticks of USER_HZ.
std::uint64_t tick_start_ns(std::uint64_t start_ticks);

// A file of a process' folder, as the kernel shows it: what somebody mounted over it is not read.
// To its end or kMaxProcTextBytes; empty if it cannot be read.
std::string read_process_file(int process_fd, const char* name);

// What an open file of /proc says, to its end or the limit.
std::string read_text(int fd, std::size_t limit);

// Its executable as the kernel names it, without " (deleted)"; empty if that cannot be read.
struct ExeLink {
  std::string path;
  bool absent = false;  // a kernel thread, or a process that is ending
};
ExeLink read_exe(int process_fd);

// The user of the process whose folder in /proc this is.
std::uint32_t owner_of(int process_fd);

class ProcReader {
 public:
  // Without them, processes say nothing of themselves.
  explicit ProcReader(WordsReader words, std::string root = "/proc", PublishedReader published = {})
      : words_(std::move(words)), published_(std::move(published)), root_(std::move(root)) {}

  // Nothing if the process is gone.
  [[nodiscard]] std::optional<ProcessFacts> read(std::uint32_t tgid) const;
  // At most limit processes, in the order of /proc.
  [[nodiscard]] std::vector<std::uint32_t> processes(std::size_t limit) const;

 private:
  [[nodiscard]] std::string name_of_program(int directory, std::uint32_t parent,
                                            std::uint32_t owner, const std::string& executable,
                                            ProgramName program) const;

  WordsReader words_;
  PublishedReader published_;
  std::string root_;
};

}  // namespace exa
