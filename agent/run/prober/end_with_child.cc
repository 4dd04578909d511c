#include "agent/run/prober/end_with_child.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <string_view>

#include "agent/model/exit_codes.h"

namespace exa {
namespace {

std::atomic<pid_t> watched = 0;
static_assert(std::atomic<pid_t>::is_always_lock_free);

// Only what a signal handler may do.
void end_if_it_has(int /*signal*/) {
  const int before = errno;
  const pid_t child = watched;
  siginfo_t info{};
  if (child > 0 &&
      waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
      info.si_pid == child) {
    constexpr std::string_view kWhy =
        "exemplar-agent: the pipeline process exited while the probes were being loaded\n";
    (void)!write(STDERR_FILENO, kWhy.data(), kWhy.size());
    _exit(kExitFailure);
  }
  errno = before;
}

}  // namespace

EndWithChild::EndWithChild(pid_t child) {
  watched = child;
  struct sigaction action{};
  action.sa_handler = end_if_it_has;
  action.sa_flags = SA_RESTART | SA_NOCLDSTOP;
  sigaction(SIGCHLD, &action, nullptr);
  end_if_it_has(SIGCHLD);  // it may have ended before
}

EndWithChild::~EndWithChild() {
  watched = 0;
  std::signal(SIGCHLD, SIG_DFL);
}

}  // namespace exa
