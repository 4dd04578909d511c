#include "tests/unit/privilege/confined.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>

#include <csignal>

#include "agent/privilege/capabilities.h"

namespace exa {
namespace {

constexpr int kNotConfined = 250;

}  // namespace

std::string outcome_of(int status) {
  if (WIFSIGNALED(status)) return std::string("SIG") + sigabbrev_np(WTERMSIG(status));
  const int error = WEXITSTATUS(status);
  if (error == 0) return "ok";
  const char* const name = strerrorname_np(error);
  return name != nullptr ? name : "exit " + std::to_string(error);
}

std::string in_pipeline(const std::function<int()>& call, const PipelineReach& reach) {
  auto process = start_pipeline(reach, {}, [&](Channel, const Result<ConfinementReport>& report) {
    return report ? call() : kNotConfined;
  });
  EXPECT_TRUE(process);
  pollfd ended{.fd = process->exited.get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&ended, 1, 5000), 1);
  int status = 0;
  EXPECT_EQ(waitpid(process->pid, &status, WNOHANG), process->pid);
  return outcome_of(status);
}

std::string in_prober(const std::function<int()>& call) {
  const pid_t child = fork();
  if (child == 0) _exit(keep_prober_capabilities() && confine_prober() ? call() : kNotConfined);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return outcome_of(status);
}

}  // namespace exa
