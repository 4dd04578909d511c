#include "agent/run/signals.h"

#include <sys/signalfd.h>

#include <cerrno>
#include <csignal>

namespace exa {

Result<UniqueFd> block_and_watch_signals() {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP})
    sigaddset(&watched, signal);
  if (sigprocmask(SIG_BLOCK, &watched, nullptr) != 0)
    return fail_errno("cannot block signals", errno);
  UniqueFd fd(signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) return fail_errno("cannot watch signals", errno);
  return fd;
}

}  // namespace exa
