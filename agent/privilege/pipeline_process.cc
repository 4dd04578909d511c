#include "agent/privilege/pipeline_process.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>
#include <thread>

namespace exa {

Result<PipelineProcess> start_pipeline(const PipelineReach& reach, const std::vector<int>& kept,
                                       const PipelineBody& body) {
  auto channels = Channel::make_pair();
  if (!channels) return std::unexpected(channels.error());
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return fail_errno("cannot fork the pipeline", errno);
  if (pid == 0) {
    std::signal(SIGPIPE, SIG_IGN);
    auto all_kept = kept;
    all_kept.push_back(channels->second.fd());
    const auto report = confine_pipeline(parent, reach, all_kept);
    _exit(body(std::move(channels->second), report));
  }
  PipelineProcess process{.pid = pid,
                          .exited = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))),
                          .channel = std::move(channels->first)};
  // Returning closes our end of the channel, which ends the child.
  if (!process.exited.valid()) return fail_errno("cannot watch the pipeline process", errno);
  return process;
}

Result<> end_with_peer(int channel_fd) {
  try {
    std::thread([channel_fd] {
      pollfd watched{.fd = channel_fd, .events = 0, .revents = 0};  // POLLHUP needs no asking
      while (poll(&watched, 1, -1) < 0 && errno == EINTR) {
      }
      _exit(0);
    }).detach();
  } catch (const std::system_error& error) {
    return fail(std::string("cannot start a thread: ") + error.what());
  }
  return {};
}

}  // namespace exa
