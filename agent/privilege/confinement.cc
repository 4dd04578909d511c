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
#include "agent/privilege/landlock.h"
#include "agent/privilege/syscall_filter.h"

namespace exa {
namespace {

void become_user(std::uint32_t uid, ConfinementReport& report) {
  if (geteuid() != 0) return;  // somebody already, and without the right to change that
  if (setgroups(0, nullptr) != 0 || setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0)
    report.lacking.push_back(
        fail_errno("the pipeline stays user 0, without capabilities: switching to user " +
                       std::to_string(uid) + " needs CAP_SETUID and CAP_SETGID",
                   errno)
            .error()
            .text);
}

void use_landlock(const PipelineReach& reach, ConfinementReport& report) {
  const auto version = landlock_version();
  const auto restricted =
      version ? restrict_by_landlock(*version, reach) : Result<>(std::unexpected(version.error()));
  if (!restricted)
    report.lacking.push_back(
        "a compromised pipeline could read whatever every user on this host can, and connect "
        "to "
        "any TCP port: " +
        restricted.error().text);
}

}  // namespace

Result<> check_readable_when_confined(const std::string& path, std::uint32_t uid) {
  const pid_t child = fork();
  if (child < 0) return fail_errno("cannot fork to check access to " + path, errno);
  if (child == 0) {
    ConfinementReport report;
    become_user(uid, report);
    if (!drop_all_capabilities()) _exit(EPERM);
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char first = 0;
    _exit(fd >= 0 && read(fd, &first, 1) >= 0 ? 0 : errno);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return fail_errno("cannot wait for a child", errno);
  if (!WIFEXITED(status)) return fail("cannot check access to " + path + ": the child was killed");
  const int error = WEXITSTATUS(status);
  if (error == EACCES || error == EPERM)
    return fail(path + " cannot be read by user " + std::to_string(uid) +
                ", which the exporting process runs as: let that user read the file and search "
                "its directories (chgrp " +
                std::to_string(uid) + " and chmod g+r, or chmod o+r if it is not secret)");
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

Result<ConfinementReport> confine_pipeline(int parent_pid, const PipelineReach& reach,
                                           std::span<const int> kept) {
  ConfinementReport report;
  if (auto closed = close_other_descriptors(kept); !closed) return std::unexpected(closed.error());
  report.memory_use = UniqueFd(open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
  empty_bounding_set();
  become_user(reach.uid, report);
  if (auto dropped = drop_all_capabilities(); !dropped) return std::unexpected(dropped.error());

  const rlimit no_core{.rlim_cur = 0, .rlim_max = 0};
  if (setrlimit(RLIMIT_CORE, &no_core) != 0) return fail_errno("cannot disable core dumps", errno);
  // Connections of scrapers and backends; where it is refused, the endpoint serves fewer at a time.
  if (rlimit files{}; getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  // After the change of user, which resets both.
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    return fail_errno("cannot clear the dumpable flag", errno);
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
    return fail_errno("cannot set the parent-death signal", errno);
  if (getppid() != parent_pid) return fail("the parent died during startup");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return fail_errno("cannot set no_new_privs", errno);
  use_landlock(reach, report);
  if (auto filtered = filter_pipeline_syscalls(); !filtered)
    return std::unexpected(filtered.error());
  return report;
}

Result<> confine_prober() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return fail_errno("cannot set no_new_privs", errno);
  return filter_prober_syscalls();
}

}  // namespace exa
