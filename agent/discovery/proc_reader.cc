#include "agent/discovery/proc_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <climits>

#include "agent/discovery/base_name.h"
#include "agent/discovery/mounts.h"
#include "agent/discovery/running_processes.h"
#include "exa/base/unique_fd.h"

namespace exa {
namespace {

// Where the process runs, as it sees that itself.
std::string read_working_folder(int directory) {
  std::array<char, PATH_MAX> target{};
  const auto length = readlinkat(directory, "cwd", target.data(), target.size());
  return length < 0 ? std::string() : std::string(target.data(), static_cast<std::size_t>(length));
}

// From a worker to whoever started it: with a server for forks in between.
constexpr int kMostParents = 3;

}  // namespace

std::string read_text(int fd, std::size_t limit) {
  std::string text(limit, '\0');
  std::size_t size = 0;
  while (size < limit) {
    const auto got = ::read(fd, text.data() + size, limit - size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

std::string read_process_file(int process_fd, const char* name) {
  const auto file = open_below_no_mount(process_fd, name, O_RDONLY);
  return file.valid() ? read_text(file.get(), kMaxProcTextBytes) : std::string();
}

ExeLink read_exe(int process_fd) {
  std::array<char, PATH_MAX> target{};
  const auto length = readlinkat(process_fd, "exe", target.data(), target.size());
  if (length < 0) return {.path = {}, .absent = errno == ENOENT};
  std::string_view path(target.data(), static_cast<std::size_t>(length));
  constexpr std::string_view kDeleted = " (deleted)";
  if (path.ends_with(kDeleted)) path.remove_suffix(kDeleted.size());
  return {.path = std::string(path), .absent = false};
}

std::uint32_t owner_of(int process_fd) {
  struct stat status{};
  if (fstat(process_fd, &status) == 0 && status.st_uid != 0) return status.st_uid;
  // Root, or undumpable: then its folder is root's all the same.
  const auto text = read_process_file(process_fd, "status");
  const auto at = text.find("\nUid:\t");
  std::uint32_t uid = 0;
  if (at != std::string::npos)
    std::from_chars(text.data() + at + 6, text.data() + text.size(), uid);
  return uid;
}

std::uint64_t tick_start_ns(std::uint64_t start_ticks) {
  return start_ticks * kStartTickNs;
}

bool is_forked(int process_fd) {
  const auto stat = parse_proc_stat(read_process_file(process_fd, "stat"));
  return stat && stat->forked;
}

std::optional<ProcessFacts> ProcReader::read(std::uint32_t tgid) const {
  const UniqueFd root(open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const auto directory =
      open_below_no_mount(root.get(), std::to_string(tgid).c_str(), O_RDONLY | O_DIRECTORY);
  if (!directory.valid()) return std::nullopt;
  const auto stat = parse_proc_stat(read_process_file(directory.get(), "stat"));
  if (!stat) return std::nullopt;
  ProcessFacts facts;
  facts.process = {.tgid = tgid, .start_time_ns = tick_start_ns(stat->start_ticks)};
  facts.comm = stat->comm;
  facts.forked = stat->forked;
  auto exe = read_exe(directory.get());
  facts.exe_path = std::move(exe.path);
  facts.is_kernel_thread = exe.absent;
  if (facts.is_kernel_thread) return facts;
  facts.cgroup = parse_cgroup(read_process_file(directory.get(), "cgroup"));
  if (!words_) return facts;
  const std::string name(base_name(facts.exe_path));
  const auto owner = owner_of(directory.get());
  if (auto words = words_(directory.get(), owner, name)) {
    facts.environment = std::move(words->environment);
    facts.script =
        name_of_program(directory.get(), stat->parent, owner, name, std::move(words->program));
  }
  facts.forked = facts.forked && is_forked(directory.get());
  if (!published_) return facts;
  // An SDK has put its environment into it already.
  auto published = published_(facts, directory.get(), owner);
  if (published == OtelEnvironment{}) return facts;
  if (published.service_name.empty()) published.service_name = facts.environment.service_name;
  facts.environment = std::move(published);
  return facts;
}

// Parents of the same program and user only: nobody is named after a stranger.
std::string ProcReader::name_of_program(int directory, std::uint32_t parent, std::uint32_t owner,
                                        const std::string& executable, ProgramName program) const {
  UniqueFd of_parent;
  for (int generation = 0; program.of_parent && generation < kMostParents; ++generation) {
    UniqueFd next(
        open((root_ + "/" + std::to_string(parent)).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!next.valid() || owner_of(next.get()) != owner) return {};
    const auto stat = parse_proc_stat(read_process_file(next.get(), "stat"));
    const auto exe = read_exe(next.get()).path;
    if (!stat || base_name(exe) != executable) return {};
    auto words = words_(next.get(), owner, executable);
    if (!words) return {};
    program = std::move(words->program);
    parent = stat->parent;
    of_parent = std::move(next);
  }
  if (program.folder.empty()) return std::move(program.name);
  auto folder = folder_name(read_working_folder(of_parent.valid() ? of_parent.get() : directory),
                            program.folder);
  return folder.empty() ? std::move(program.name) : std::move(folder);
}

std::vector<std::uint32_t> ProcReader::processes(std::size_t limit) const {
  return running_processes(root_, limit);
}

}  // namespace exa
