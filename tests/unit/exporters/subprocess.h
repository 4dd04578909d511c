// A program a test stands on: started with pipes, ended when the test ends.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "exa/base/unique_fd.h"

extern char** environ;

namespace exa {

class Subprocess {
 public:
  explicit Subprocess(std::vector<std::string> arguments) {
    int in[2];
    int out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) return;
    const UniqueFd in_read(in[0]);
    const UniqueFd out_write(out[1]);
    input_ = UniqueFd(in[1]);
    output_ = UniqueFd(out[0]);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in_read.get(), 0);
    ::posix_spawn_file_actions_adddup2(&actions, out_write.get(), 1);
    ::posix_spawn_file_actions_adddup2(&actions, out_write.get(), 2);
    std::vector<char*> argv;
    for (auto& argument : arguments)
      argv.push_back(argument.data());
    argv.push_back(nullptr);
    if (::posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), environ) != 0) pid_ = -1;
    ::posix_spawn_file_actions_destroy(&actions);
  }
  ~Subprocess() {
    if (pid_ > 0 && !reaped_) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  // What it wrote up to the end of a line; what there is at the end or after 20 s.
  std::string read_line() {
    std::string line;
    pollfd ready{.fd = output_.get(), .events = POLLIN, .revents = 0};
    for (char c = 0; c != '\n' && ::poll(&ready, 1, 20'000) > 0 && ::read(ready.fd, &c, 1) == 1;)
      line += c;
    return line;
  }

  struct Ended {
    int code = -1;
    std::string output;
  };
  // Writes input, closes it, reads all it says, and waits for its end.
  Ended finish(const std::string& input = "") {
    Ended ended;
    std::size_t written = 0;
    ::fcntl(input_.get(), F_SETFL, O_NONBLOCK);
    for (;;) {
      if (written == input.size()) input_.reset();
      pollfd both[2] = {{.fd = output_.get(), .events = POLLIN, .revents = 0},
                        {.fd = input_.get(), .events = POLLOUT, .revents = 0}};
      if (::poll(both, 2, 60'000) <= 0) break;
      if (both[1].revents != 0) {
        const ssize_t put = ::write(both[1].fd, input.data() + written, input.size() - written);
        if (put < 0)
          written = input.size();
        else
          written += static_cast<std::size_t>(put);
      }
      if (both[0].revents == 0) continue;
      char bytes[16384];
      const ssize_t got = ::read(both[0].fd, bytes, sizeof(bytes));
      if (got <= 0) break;
      ended.output.append(bytes, static_cast<std::size_t>(got));
    }
    int status = 0;
    if (pid_ > 0 && ::waitpid(pid_, &status, 0) == pid_ && WIFEXITED(status))
      ended.code = WEXITSTATUS(status);
    reaped_ = true;
    return ended;
  }

 private:
  pid_t pid_ = -1;
  bool reaped_ = false;
  UniqueFd input_;
  UniqueFd output_;
};

inline Subprocess::Ended run(std::vector<std::string> arguments, const std::string& input = "") {
  return Subprocess(std::move(arguments)).finish(input);
}

}  // namespace exa
