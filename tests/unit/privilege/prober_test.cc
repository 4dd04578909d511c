// What a prober that was taken over would not get from the kernel: nothing of this needs systemd.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/unit/privilege/confined.h"

namespace exa {
namespace {

TEST(Prober, RunsNothingAndTalksToNobody) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const auto self = [](const char* name) { return opened(std::string("/proc/self/") + name); };
  const Attempt attempts[] = {
      {"its work: processes", [] { return opened("/proc/" + std::to_string(getppid()) + "/maps"); },
       "ok"},
      {"files of others", [&] { return opened("/etc/shadow"); }, "ok"},
      {"itself", [&] { return self("status"); }, "ok"},
      {"another program", [] { return error_of(execl("/bin/true", "true", nullptr)); }, "SIGSYS"},
      {"a process", [] { return error_of(fork()); }, "EPERM"},
      {"a socket", [] { return error_of(socket(AF_INET, SOCK_STREAM, 0)); }, "EPERM"},
      {"trace", [] { return error_of(ptrace(PTRACE_ATTACH, getppid(), 0, 0)); }, "SIGSYS"},
      {"a counter", [] { return error_of(syscall(SYS_perf_event_open, nullptr, 0, -1, -1, 0)); },
       "SIGSYS"},
      {"another namespace", [] { return error_of(setns(-1, CLONE_NEWNS)); }, "SIGSYS"},
      {"a module", [] { return error_of(syscall(SYS_finit_module, -1, "", 0)); }, "SIGSYS"},
      {"another kernel", [] { return error_of(syscall(SYS_kexec_load, 0, 0, nullptr, 0)); },
       "SIGSYS"},
      {"a file by its handle", [] { return error_of(syscall(SYS_open_by_handle_at, -1, 0, 0)); },
       "SIGSYS"},
      {"a key", [] { return error_of(syscall(SYS_keyctl, 0, 0, 0, 0, 0)); }, "SIGSYS"},
      {"a mode", [] { return error_of(chmod("/etc/hosts", 0644)); }, "EPERM"},
      {"memory that runs",
       [] {
         return mmap(nullptr, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
                    ? errno
                    : 0;
       },
       "EPERM"},
  };
  for (const auto& [what, call, outcome] : attempts)
    EXPECT_EQ(in_prober(call), outcome) << what;
}

}  // namespace
}  // namespace exa
