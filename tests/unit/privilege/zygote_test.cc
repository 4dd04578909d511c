// The process that makes readers, and readers that hang, for real. What needs root skips without.
#include "agent/privilege/zygote.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <map>

#include "agent/privilege/descriptor_passing.h"
#include "agent/privilege/outbox.h"

namespace exa {
namespace {

constexpr std::uint32_t kReaderUser = 65534;

using namespace std::chrono_literals;

std::map<std::string, std::string> status_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  std::map<std::string, std::string> fields;
  for (std::string line; std::getline(file, line);)
    if (const auto colon = line.find(":\t"); colon != std::string::npos)
      fields[line.substr(0, colon)] = line.substr(colon + 2);
  return fields;
}

bool hung_up_within(int fd, std::chrono::milliseconds limit) {
  pollfd watched{.fd = fd, .events = 0, .revents = 0};
  return poll(&watched, 1, static_cast<int>(limit.count())) == 1;
}

// What a reader answers when it was asked: the errno of each call, confined.
std::array<int, 6> tried() {
  std::array<int, 6> errors{};
  errors[0] = ::open("/dev/null", O_RDONLY) < 0 ? errno : 0;
  errors[1] = ::socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? errno : 0;
  errors[2] = static_cast<int>(::syscall(SYS_kill, ::getpid(), 0)) < 0 ? errno : 0;
  errors[3] = static_cast<int>(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)) < 0 ? errno : 0;
  errors[4] =
      ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
          ? errno
          : 0;
  void* const much = ::mmap(nullptr, std::size_t{512} << 20, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  errors[5] = much == MAP_FAILED ? errno : 0;
  return errors;
}

int body(ReaderKind kind, int socket) {
  if (!confine_reader(kind)) return 1;
  for (;;) {
    std::byte question{};
    if (receive_with_descriptors(socket, std::span(&question, 1)).size <= 0) return 0;
    if (question == std::byte{'t'}) {
      const auto errors = tried();
      send_with_descriptors(socket, std::as_bytes(std::span(errors)));
    }
    // 'h': hangs, as at a file of which nobody answers the reads.
  }
}

Zygote zygote() {
  auto started = Zygote::start(body, kReaderUser);
  EXPECT_TRUE(started) << started.error().text;
  return std::move(*started);
}

TEST(Zygote, AReaderHasNoPrivilegeAndOnlyReads) {
  auto made = zygote();
  const auto reader = made.start_reader(ReaderKind::kTexts);
  ASSERT_TRUE(reader) << reader.error().text;
  constexpr std::byte kTry{'t'};
  ASSERT_TRUE(send_with_descriptors(reader->socket.get(), std::span(&kTry, 1)));
  pollfd watched{.fd = reader->socket.get(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(poll(&watched, 1, 5000), 1);
  std::array<int, 6> errors{};
  ASSERT_EQ(
      receive_with_descriptors(reader->socket.get(), std::as_writable_bytes(std::span(errors)))
          .size,
      static_cast<ssize_t>(sizeof errors));
  EXPECT_THAT(errors, testing::ElementsAre(EPERM, EPERM, EPERM, EPERM, EPERM, ENOMEM));
  const auto status = status_of(reader->pid);
  for (const auto* set : {"CapEff", "CapPrm", "CapInh", "CapAmb"})
    EXPECT_EQ(status.at(set), "0000000000000000") << set;
  EXPECT_EQ(status.at("Seccomp"), "2");
  EXPECT_EQ(status.at("NoNewPrivs"), "1");
  if (geteuid() == 0) {
    EXPECT_THAT(status.at("Uid"), testing::Not(testing::HasSubstr("\t0")));
    // The one that makes readers has one right, which is not in force.
    const auto parent = status_of(std::stoi(status.at("PPid")));
    EXPECT_EQ(parent.at("CapEff"), "0000000000000000");
    EXPECT_EQ(parent.at("CapPrm"), "0000000000000004");
    EXPECT_EQ(parent.at("Seccomp"), "2");
  }
}

TEST(Zygote, IsNoChildOfOurs) {
  const auto made = zygote();
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(Zygote, EndsAReaderThatIsLeftBehind) {
  auto made = zygote();
  const auto reader = made.start_reader(ReaderKind::kTexts);
  ASSERT_TRUE(reader);
  EXPECT_FALSE(hung_up_within(reader->socket.get(), 50ms));
  made.end_reader(reader->number);
  EXPECT_TRUE(hung_up_within(reader->socket.get(), 5s));
  EXPECT_TRUE(made.start_reader(ReaderKind::kTexts)) << "others can be made";
}

TEST(Zygote, AReaderEndsWithItsSocket) {
  auto made = zygote();
  auto reader = made.start_reader(ReaderKind::kTexts);
  ASSERT_TRUE(reader);
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, reader->pid, 0)));
  reader->socket.reset();
  pollfd ended{.fd = process.get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&ended, 1, 5000), 1);
}

TEST(Zygote, MakesABoundedNumberOfReaders) {
  auto made = zygote();
  std::vector<StartedReader> readers;
  for (std::size_t i = 0; i < Zygote::kMaxReaders; ++i) {
    auto reader = made.start_reader(ReaderKind::kTexts);
    ASSERT_TRUE(reader);
    readers.push_back(std::move(*reader));
  }
  EXPECT_FALSE(made.start_reader(ReaderKind::kTexts));
}

TEST(Zygote, EndsAStoppedCompanionWhenWeAreGone) {
  const pid_t companion = fork();
  if (companion == 0) {
    // As the pipeline: another user, whom a parent without CAP_KILL may not signal.
    if (geteuid() == 0 && (setresgid(kReaderUser, kReaderUser, kReaderUser) != 0 ||
                           setresuid(kReaderUser, kReaderUser, kReaderUser) != 0))
      _exit(1);
    raise(SIGSTOP);
    _exit(0);
  }
  ASSERT_EQ(waitpid(companion, nullptr, WUNTRACED), companion);
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, companion, 0)));
  {
    auto made = zygote();
    ASSERT_TRUE(made.end_with_us(process.get()));
  }
  int status = 0;
  pollfd ended{.fd = process.get(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(poll(&ended, 1, 1000), 1) << "within a second";
  waitpid(companion, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST(Outbox, NeverWaitsAndKeepsTheOrder) {
  auto channels = Channel::make_pair();
  ASSERT_TRUE(channels);
  auto& [ours, theirs] = *channels;
  Outbox outbox;
  ChannelMessage message;
  std::uint64_t sent = 0;
  while (outbox.has_room()) {
    message.value = sent++;
    ASSERT_EQ(outbox.send(ours, message), ChannelOutcome::kDone);
  }
  // Nobody read so far. What may not wait goes in all the same.
  message.type = ChannelMessageType::kShutdown;
  message.value = sent;
  ASSERT_EQ(outbox.send(ours, message), ChannelOutcome::kDone);
  ChannelMessage received;
  for (std::uint64_t next = 0; next <= sent;) {
    outbox.flush(ours);
    ASSERT_EQ(theirs.receive(received), ChannelOutcome::kDone) << next;
    EXPECT_EQ(received.value, next++);
  }
  EXPECT_EQ(received.type, ChannelMessageType::kShutdown);
  EXPECT_TRUE(outbox.empty());
}

TEST(Outbox, ToldThatNobodyListensAnyMore) {
  auto channels = Channel::make_pair();
  ASSERT_TRUE(channels);
  channels->second = Channel();
  Outbox outbox;
  EXPECT_EQ(outbox.send(channels->first, ChannelMessage{}), ChannelOutcome::kClosed);
}

}  // namespace
}  // namespace exa
