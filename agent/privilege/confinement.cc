#include "agent/privilege/confinement.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>

#include "agent/privilege/capabilities.h"
#include "agent/privilege/syscall_filter.h"

namespace exa {
namespace {

void become_nobody(ConfinementReport& report) {
  if (geteuid() != 0) return;  // somebody already, and without the right to change that
  if (setgroups(0, nullptr) != 0 ||
      setresgid(kPipelineUserId, kPipelineUserId, kPipelineUserId) != 0 ||
      setresuid(kPipelineUserId, kPipelineUserId, kPipelineUserId) != 0)
    report.lacking.push_back(
        fail_errno("the pipeline keeps user 0, without capabilities: changing to user 65534 needs "
                   "CAP_SETUID and CAP_SETGID",
                   errno)
            .error()
            .text);
}

}  // namespace

Result<> check_readable_when_confined(const std::string& path) {
  const pid_t child = fork();
  if (child < 0) return fail_errno("cannot fork to try who may read " + path, errno);
  if (child == 0) {
    ConfinementReport report;
    become_nobody(report);
    if (!drop_all_capabilities()) _exit(EPERM);
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char first = 0;
    _exit(fd >= 0 && read(fd, &first, 1) >= 0 ? 0 : errno);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return fail_errno("cannot wait for a child", errno);
  if (!WIFEXITED(status)) return fail("cannot try who may read " + path + ": the child was killed");
  const int error = WEXITSTATUS(status);
  if (error == EACCES || error == EPERM)
    return fail(path +
                " cannot be read by user 65534, as which the process that exports runs: let that "
                "user read the file and search its folders (chgrp nogroup and chmod g+r, or chmod "
                "o+r where it is no secret)");
  if (error != 0) return fail_errno(path + " cannot be read", error);
  return {};
}

Result<> close_other_descriptors(std::span<const int> kept) {
  std::vector<int> sorted(kept.begin(), kept.end());
  std::ranges::sort(sorted);
  unsigned first = 3;
  for (const int fd : sorted) {
    const auto next = static_cast<unsigned>(fd);
    if (fd < 3 || next < first) continue;
    if (next > first && close_range(first, next - 1, 0) != 0)
      return fail_errno("cannot close descriptors", errno);
    first = next + 1;
  }
  if (close_range(first, UINT_MAX, 0) != 0) return fail_errno("cannot close descriptors", errno);
  return {};
}

Result<ConfinementReport> confine_pipeline(int parent_pid, std::span<const int> kept) {
  ConfinementReport report;
  if (auto closed = close_other_descriptors(kept); !closed) return std::unexpected(closed.error());
  empty_bounding_set();
  become_nobody(report);
  if (auto dropped = drop_all_capabilities(); !dropped) return std::unexpected(dropped.error());

  const rlimit no_core{.rlim_cur = 0, .rlim_max = 0};
  if (setrlimit(RLIMIT_CORE, &no_core) != 0) return fail_errno("cannot forbid core files", errno);
  // Connections of scrapers and backends; where it is refused, the endpoint serves fewer at a time.
  if (rlimit files{}; getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  // After the change of user, which resets both.
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return fail_errno("cannot become undumpable", errno);
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
    return fail_errno("cannot ask to die with the parent", errno);
  if (getppid() != parent_pid) return fail("the parent died during the start");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return fail_errno("cannot renounce new privileges", errno);
  if (auto filtered = filter_pipeline_syscalls(); !filtered)
    return std::unexpected(filtered.error());
  return report;
}

}  // namespace exa
