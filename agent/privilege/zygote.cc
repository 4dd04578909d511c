#include "agent/privilege/zygote.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <map>
#include <vector>

#include "agent/privilege/capabilities.h"
#include "agent/privilege/confinement.h"
#include "agent/privilege/descriptor_passing.h"
#include "agent/privilege/reader_confinement.h"

namespace exa {
namespace {

constexpr int kPatienceMs = 2000;  // with the zygote, which itself waits for nobody

enum class Wish : std::uint32_t { kStart = 1, kEnd = 2, kEndWithUs = 3 };

struct Request {
  Wish wish;
  ReaderKind kind;
  std::uint32_t number;
};

struct Answer {
  std::uint32_t number;
  std::int32_t pid;  // 0: none could be started
};

template <typename T>
std::span<const std::byte> bytes_of(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

void end(const UniqueFd& process) {
  syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
}

// The zygote's own loop.
class Nursery {
 public:
  Nursery(const ReaderBody& body, UniqueFd control) : body_(body), control_(std::move(control)) {}

  [[noreturn]] void run() {
    for (;;) {
      std::vector<pollfd> watched{{.fd = control_.get(), .events = POLLIN, .revents = 0}};
      for (const auto& [number, reader] : readers_)
        watched.push_back({.fd = reader.get(), .events = POLLIN, .revents = 0});
      if (::poll(watched.data(), watched.size(), -1) < 0) continue;
      std::erase_if(readers_, [&](const auto& reader) {
        for (const auto& one : watched)
          if (one.fd == reader.second.get()) return one.revents != 0;
        return false;
      });
      if (watched.front().revents != 0 && !serve()) leave();
    }
  }

 private:
  bool serve() {
    Request request{};
    auto received =
        receive_with_descriptors(control_.get(), std::as_writable_bytes(std::span(&request, 1)));
    if (received.size != static_cast<ssize_t>(sizeof request)) return false;
    switch (request.wish) {
      case Wish::kStart:
        start(request, std::move(received.passed[0]));
        break;
      case Wish::kEnd:
        if (const auto found = readers_.find(request.number); found != readers_.end())
          end(found->second);
        break;
      case Wish::kEndWithUs:
        companion_ = std::move(received.passed[0]);
        break;
    }
    return true;
  }

  void start(const Request& request, UniqueFd socket) {
    Answer answer{.number = request.number, .pid = 0};
    const bool room = readers_.size() < Zygote::kMaxReaders && socket.valid();
    const pid_t pid = room ? fork() : -1;
    if (pid == 0) {
      const int kept = socket.get();
      _exit(close_other_descriptors(std::span(&kept, 1)) ? body_(request.kind, kept) : 1);
    }
    if (pid > 0) {
      UniqueFd reader(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
      if (reader.valid()) {
        answer.pid = pid;
        readers_.emplace(request.number, std::move(reader));
      }
    }
    socket.reset();
    send_with_descriptors(control_.get(), bytes_of(answer));
  }

  [[noreturn]] void leave() {
    if (companion_.valid()) end(companion_);
    for (const auto& [number, reader] : readers_)
      end(reader);
    _exit(0);
  }

  const ReaderBody& body_;
  UniqueFd control_;
  std::map<std::uint32_t, UniqueFd> readers_;  // at most kMaxReaders; pidfds
  UniqueFd companion_;
};

// The pipeline's user: the two may end each other, and nothing else.
void become_reader_user(std::uint32_t uid) {
  if (geteuid() != 0) return;
  prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
  if (setgroups(0, nullptr) == 0 && setresgid(uid, uid, uid) == 0) (void)!setresuid(uid, uid, uid);
  prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
}

[[noreturn]] void be_zygote(const ReaderBody& body, std::uint32_t uid, UniqueFd control) {
  prctl(PR_SET_NAME, "exa-zygote", 0, 0, 0);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGCHLD, SIG_IGN);  // readers leave no zombies
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd < 3 && nothing >= 0; ++fd)
    ::dup2(nothing, fd);
  const int kept = control.get();
  if (!close_other_descriptors(std::span(&kept, 1))) _exit(1);
  empty_bounding_set();
  become_reader_user(uid);
  if (!keep_the_right_to_open() || !confine_zygote()) _exit(1);
  Nursery(body, std::move(control)).run();
}

}  // namespace

Result<Zygote> Zygote::start(const ReaderBody& body, std::uint32_t uid) {
  std::array<int, 2> fds{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds.data()) != 0)
    return fail_errno("cannot create the channel to the readers", errno);
  UniqueFd ours(fds[0]);
  UniqueFd theirs(fds[1]);
  // Twice, so that it belongs to nobody who would have to wait for its end.
  const pid_t pid = fork();
  if (pid < 0) return fail_errno("cannot fork the process that starts readers", errno);
  if (pid == 0) {
    ours.reset();
    if (fork() != 0) _exit(0);
    be_zygote(body, uid, std::move(theirs));
  }
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  theirs.reset();
  fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  return Zygote(std::move(ours));
}

Result<StartedReader> Zygote::start_reader(ReaderKind kind) {
  const std::lock_guard lock(mutex_);
  std::array<int, 2> fds{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds.data()) != 0)
    return fail_errno("cannot create the socket of a reader", errno);
  StartedReader reader{.socket = UniqueFd(fds[0]), .number = next_number_++};
  const UniqueFd theirs(fds[1]);
  fcntl(fds[0], F_SETFL, O_NONBLOCK);
  const Request request{.wish = Wish::kStart, .kind = kind, .number = reader.number};
  const int passed = theirs.get();
  if (!send_with_descriptors(control_.get(), bytes_of(request), std::span(&passed, 1)))
    return fail_errno("the process that starts readers accepts no requests", errno);
  for (;;) {
    pollfd watched{.fd = control_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&watched, 1, kPatienceMs) != 1)
      return fail("the process that starts readers does not answer");
    Answer answer{};
    const auto received =
        receive_with_descriptors(control_.get(), std::as_writable_bytes(std::span(&answer, 1)));
    if (received.size != static_cast<ssize_t>(sizeof answer))
      return fail("the process that starts readers is gone");
    if (answer.number != reader.number) continue;  // an answer that somebody gave up waiting for
    if (answer.pid <= 0) return fail("no reader could be started");
    reader.pid = answer.pid;
    return reader;
  }
}

void Zygote::end_reader(std::uint32_t number) {
  const std::lock_guard lock(mutex_);
  const Request request{.wish = Wish::kEnd, .kind = ReaderKind::kTexts, .number = number};
  send_with_descriptors(control_.get(), bytes_of(request));
}

Result<> Zygote::end_with_us(int pidfd) {
  const std::lock_guard lock(mutex_);
  const Request request{.wish = Wish::kEndWithUs, .kind = ReaderKind::kTexts, .number = 0};
  if (!send_with_descriptors(control_.get(), bytes_of(request), std::span(&pidfd, 1)))
    return fail_errno("the process that starts readers accepts no requests", errno);
  return {};
}

}  // namespace exa
