// fork_storm PORT PATH PER_SECOND SECONDS FIRST LAST: children that each ask once and end, and
// whose process numbers are FIRST to LAST in turn, so that each number comes again soon. Storms of
// one PID namespace share the numbers. One line of JSON: how many children were made, how many of
// them were answered, and how long that took, for where the machine cannot keep up with the rate.
//
// The main thread only; at most kMostAtOnce children live at a time.
#include <arpa/inet.h>
#include <linux/sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;

constexpr long kMostAtOnce = 50;

bool is_answered(const sockaddr_in& server, std::string_view request) {
  const int connection = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(connection, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0)
    return false;
  if (::send(connection, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size()))
    return false;
  char answer[4096];
  const auto size = ::recv(connection, answer, sizeof answer, 0);
  return size > 0 &&
         std::string_view(answer, static_cast<std::size_t>(size)).starts_with("HTTP/1.");
}

// As the process of that number; -1 with EEXIST while somebody has it.
pid_t fork_as(pid_t number) {
  clone_args how{};
  how.exit_signal = SIGCHLD;
  how.set_tid = reinterpret_cast<std::uint64_t>(&number);
  how.set_tid_size = 1;
  return static_cast<pid_t>(::syscall(SYS_clone3, &how, sizeof how));
}

struct Storm {
  sockaddr_in server{};
  std::string request;
  pid_t first = 0, last = 0;
  pid_t next = 0;
  long made = 0, living = 0, answered = 0;

  bool make_one() {
    for (pid_t tries = 0; tries <= last - first; ++tries) {
      const pid_t child = fork_as(next);
      if (child == 0) ::_exit(is_answered(server, request) ? 0 : 1);
      next = next < last ? next + 1 : first;
      if (child > 0) {
        ++made;
        ++living;
        return true;
      }
      if (errno != EEXIST) return false;
    }
    return false;
  }

  void reap(long most_living) {
    int status = 0;
    while (living > 0 && ::waitpid(-1, &status, living > most_living ? 0 : WNOHANG) > 0) {
      --living;
      answered += status == 0 ? 1 : 0;
    }
  }
};

}  // namespace

int main(int count, char** words) {
  if (count != 7) {
    std::fprintf(stderr, "usage: fork_storm PORT PATH PER_SECOND SECONDS FIRST LAST\n");
    return 2;
  }
  const long per_second = std::atol(words[3]);
  const long children = per_second * std::atol(words[4]);
  Storm storm{.server = {.sin_family = AF_INET,
                         .sin_port = htons(static_cast<std::uint16_t>(std::atoi(words[1]))),
                         .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
                         .sin_zero = {}},
              .request = "GET " + std::string(words[2]) +
                         " HTTP/1.1\r\nHost: storm\r\nConnection: close\r\n\r\n",
              .first = std::atoi(words[5]),
              .last = std::atoi(words[6]),
              .next = std::atoi(words[5])};
  const auto begun = Clock::now();
  for (long i = 0; i < children; ++i) {
    std::this_thread::sleep_until(begun + i * std::chrono::nanoseconds(1'000'000'000 / per_second));
    if (!storm.make_one()) {
      std::perror("fork_storm: no child");
      return 1;
    }
    storm.reap(kMostAtOnce);
  }
  storm.reap(0);
  std::printf("{\"made\": %ld, \"answered\": %ld, \"seconds\": %.3f}\n", storm.made, storm.answered,
              std::chrono::duration<double>(Clock::now() - begun).count());
}
