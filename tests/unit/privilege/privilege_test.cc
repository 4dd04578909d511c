// The two processes for real: forks, kills and reads /proc. The parts that need root skip without.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "agent/privilege/capabilities.h"
#include "agent/privilege/channel.h"
#include "agent/privilege/confinement.h"
#include "agent/privilege/pipeline_process.h"
#include "agent/privilege/single_instance.h"
#include "tests/unit/privilege/confined.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

bool is_root() {
  return geteuid() == 0;
}

std::map<std::string, std::string> status_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  std::map<std::string, std::string> fields;
  for (std::string line; std::getline(file, line);)
    if (const auto colon = line.find(":\t"); colon != std::string::npos)
      fields[line.substr(0, colon)] = line.substr(colon + 2);
  return fields;
}

std::string same_four(std::uint32_t id) {
  const auto one = std::to_string(id);
  return one + "\t" + one + "\t" + one + "\t" + one;
}

bool readable_within(int fd, std::chrono::milliseconds limit) {
  pollfd watched{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&watched, 1, static_cast<int>(limit.count())) == 1;
}

// A body that says it is ready and then waits for the channel to close.
int ready_and_wait(Channel channel, const Result<ConfinementReport>& report) {
  if (!report) return 70;
  if (!end_with_peer(channel.fd())) return 71;
  ChannelMessage ready{.type = ChannelMessageType::kReady, .value = 1};
  channel.send(ready);
  for (;;)
    pause();
}

PipelineProcess started(const PipelineBody& body) {
  auto process = start_pipeline(usual_reach(), {}, body);
  EXPECT_TRUE(process) << process.error().text;
  EXPECT_TRUE(readable_within(process->channel.fd(), 5s));
  return std::move(*process);
}

void reap(PipelineProcess& process) {
  process.channel = Channel();
  EXPECT_TRUE(readable_within(process.exited.get(), 5s));
  waitpid(process.pid, nullptr, 0);
}

TEST(Confinement, ThePipelineHasNoPrivilegeLeft) {
  auto process = started(ready_and_wait);
  const auto status = status_of(process.pid);
  EXPECT_EQ(status.at("CapEff"), "0000000000000000");
  EXPECT_EQ(status.at("CapPrm"), "0000000000000000");
  EXPECT_EQ(status.at("CapInh"), "0000000000000000");
  EXPECT_EQ(status.at("CapAmb"), "0000000000000000");
  EXPECT_EQ(status.at("NoNewPrivs"), "1");
  EXPECT_EQ(status.at("Seccomp"), "2");
  if (is_root()) {
    EXPECT_EQ(status.at("CapBnd"), "0000000000000000");
    EXPECT_EQ(status.at("Uid"), same_four(usual_reach().uid));
    EXPECT_EQ(status.at("Gid"), same_four(usual_reach().uid));
    EXPECT_EQ(status.at("Groups").find_first_of("0123456789"), std::string::npos);
  }
  reap(process);
}

TEST(Confinement, OnlyTheListedDescriptorsAreLeft) {
  if (!is_root()) GTEST_SKIP() << "reading the descriptors of an undumpable process needs root";
  const UniqueFd kept(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const UniqueFd other(open("/dev/zero", O_RDONLY | O_CLOEXEC));
  auto process = start_pipeline(usual_reach(), {kept.get()}, ready_and_wait);
  ASSERT_TRUE(process);
  ASSERT_TRUE(readable_within(process->channel.fd(), 5s));
  const auto folder = "/proc/" + std::to_string(process->pid);
  std::vector<std::string> above_streams;
  for (const auto& entry : std::filesystem::directory_iterator(folder + "/fd"))
    if (std::stoi(entry.path().filename()) > 2)
      above_streams.push_back(std::filesystem::read_symlink(entry.path()));
  EXPECT_THAT(above_streams, UnorderedElementsAre("/dev/null", folder + "/statm",
                                                  StartsWith("socket:")));  // the channel
  reap(*process);
}

TEST(Confinement, ThreadsStillWork) {
  EXPECT_EQ(in_pipeline([] {
              int error = ENOTRECOVERABLE;
              std::thread([&] { error = 0; }).join();
              return error;
            }),
            "ok");
}

// Of the two, the change of user does the first on most systems: not where the user stays.
TEST(Confinement, NothingOfItsMemoryGoesToDisk) {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit some{.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
    const auto uid = usual_reach().uid;
    if (is_root() && setresuid(uid, uid, uid) != 0) _exit(EUSERS);
    if (setrlimit(RLIMIT_CORE, &some) != 0 || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0)
      _exit(ENOTRECOVERABLE);
    const auto outcome = in_pipeline([] {
      rlimit core{};
      if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0) return EFAULT;
      if (getrlimit(RLIMIT_CORE, &core) != 0) return errno;
      return core.rlim_cur == 0 && core.rlim_max == 0 ? 0 : EFBIG;
    });
    EXPECT_EQ(outcome, "ok");
    _exit(outcome == "ok" ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(outcome_of(status), "ok");
}

TEST(Confinement, ItsMemoryUseIsReadFromAFileItHas) {
  auto process = start_pipeline(usual_reach(), {}, [](Channel, const auto& report) {
    std::array<char, 64> text{};
    return report && pread(report->memory_use.get(), text.data(), text.size(), 0) > 3 ? 0 : EBADF;
  });
  ASSERT_TRUE(process);
  int status = 0;
  ASSERT_EQ(waitpid(process->pid, &status, 0), process->pid);
  EXPECT_EQ(outcome_of(status), "ok");
}

// The child must go when the parent is killed, also when the parent has only the prober's
// capabilities, as in the product.
TEST(TwoProcesses, KillingTheParentEndsTheChild) {
  if (!is_root()) GTEST_SKIP() << "needs root";
  int report[2];
  ASSERT_EQ(pipe(report), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    auto process = start_pipeline(usual_reach(), {}, ready_and_wait);
    if (!process || !keep_prober_capabilities()) _exit(1);
    readable_within(process->channel.fd(), 5s);
    const pid_t child = process->pid;
    if (write(report[1], &child, sizeof child) != sizeof child) _exit(1);
    for (;;)
      pause();
  }
  pid_t child = 0;
  ASSERT_EQ(read(report[0], &child, sizeof child), static_cast<ssize_t>(sizeof child));
  const UniqueFd child_exited(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  ASSERT_TRUE(child_exited.valid());
  kill(parent, SIGKILL);
  EXPECT_TRUE(readable_within(child_exited.get(), 5s));
  waitpid(parent, nullptr, 0);
  close(report[0]);
  close(report[1]);
}

TEST(TwoProcesses, TheParentNoticesThatTheChildWasKilled) {
  auto process = started(ready_and_wait);
  kill(process.pid, SIGKILL);
  EXPECT_TRUE(readable_within(process.exited.get(), 5s));
  ChannelMessage message;
  EXPECT_EQ(process.channel.receive(message), ChannelOutcome::kDone);  // the ready of before
  EXPECT_EQ(process.channel.receive(message), ChannelOutcome::kClosed);
  reap(process);
}

TEST(Capabilities, TheProberKeepsItsSetAndNothingElse) {
  if (!is_root()) GTEST_SKIP() << "needs root";
  const pid_t child = fork();
  if (child == 0) {
    if (!keep_prober_capabilities()) _exit(1);
    const auto status = status_of(getpid());
    // BPF 39, PERFMON 38, CHECKPOINT_RESTORE 40, SYS_PTRACE 19, DAC_READ_SEARCH 2
    const bool exact = status.at("CapEff") == "000001c000080004" &&
                       status.at("CapPrm") == "000001c000080004" &&
                       status.at("CapBnd") == "000001c000080004";
    _exit(exact ? 0 : 2);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(ChannelMessages, ArriveWholeAndInOrder) {
  auto pair = Channel::make_pair();
  ASSERT_TRUE(pair);
  auto& [prober, pipeline] = *pair;
  ChannelMessage sent{.type = ChannelMessageType::kTarget, .value = 5};
  sent.payload[4095] = std::byte{0x7f};
  EXPECT_EQ(prober.send(sent), ChannelOutcome::kDone);
  sent.type = ChannelMessageType::kTargetsComplete;
  EXPECT_EQ(prober.send(sent), ChannelOutcome::kDone);
  ChannelMessage got;
  EXPECT_EQ(pipeline.receive(got), ChannelOutcome::kDone);
  EXPECT_EQ(got.type, ChannelMessageType::kTarget);
  EXPECT_EQ(got.value, 5u);
  EXPECT_EQ(got.payload, sent.payload);
  EXPECT_EQ(pipeline.receive(got), ChannelOutcome::kDone);
  EXPECT_EQ(got.type, ChannelMessageType::kTargetsComplete);
  EXPECT_EQ(pipeline.receive(got), ChannelOutcome::kWouldBlock);
}

TEST(ChannelMessages, CarryAFileThatTheOtherSideCouldNotOpen) {
  auto pair = Channel::make_pair();
  ASSERT_TRUE(pair);
  auto& [prober, pipeline] = *pair;
  const auto path = ::testing::TempDir() + "exemplar-attached-" + std::to_string(getpid());
  const UniqueFd written(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(write(written.get(), "names", 5), 5);
  {
    const UniqueFd attached(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    unlink(path.c_str());
    EXPECT_EQ(prober.send({}, attached.get()), ChannelOutcome::kDone);
    EXPECT_EQ(prober.send({}, attached.get()), ChannelOutcome::kDone);
    EXPECT_EQ(prober.send({}), ChannelOutcome::kDone);
  }
  ChannelMessage got;
  UniqueFd file;
  ASSERT_EQ(pipeline.receive(got, &file), ChannelOutcome::kDone);
  ASSERT_TRUE(file.valid());
  char text[8] = {};
  EXPECT_EQ(pread(file.get(), text, sizeof text, 0), 5);
  EXPECT_STREQ(text, "names");
  EXPECT_NE(fcntl(file.get(), F_GETFD) & FD_CLOEXEC, 0);
  const auto next_free = [] { return UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC)).get(); };
  const int free_before = next_free();
  EXPECT_EQ(pipeline.receive(got), ChannelOutcome::kMalformed) << "nobody asked for a file";
  EXPECT_EQ(next_free(), free_before) << "and it is closed";
  EXPECT_EQ(pipeline.receive(got, &file), ChannelOutcome::kDone);
  EXPECT_FALSE(file.valid());
}

TEST(ChannelMessages, AFullChannelSaysSoAndLosesNothing) {
  auto pair = Channel::make_pair();
  ASSERT_TRUE(pair);
  auto& [prober, pipeline] = *pair;
  std::uint64_t sent = 0;
  ChannelMessage message{.type = ChannelMessageType::kTarget};
  for (message.value = 0; prober.send(message) == ChannelOutcome::kDone; ++message.value)
    ++sent;
  ASSERT_LT(sent, 100'000u);
  for (std::uint64_t i = 0; i < sent; ++i) {
    ASSERT_EQ(pipeline.receive(message), ChannelOutcome::kDone);
    EXPECT_EQ(message.value, i);
  }
}

TEST(ChannelMessages, OtherSizesAndTypesAreMalformed) {
  int fds[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
  const UniqueFd raw(fds[0]);
  Channel channel{UniqueFd(fds[1])};
  ChannelMessage got;
  const std::vector<char> longer(sizeof(ChannelMessage) + 1, 1);
  for (const std::size_t size : {std::size_t{1}, sizeof(ChannelMessage) - 1, longer.size()}) {
    ASSERT_EQ(send(raw.get(), longer.data(), size, 0), static_cast<ssize_t>(size));
    EXPECT_EQ(channel.receive(got), ChannelOutcome::kMalformed) << size;
  }
  ChannelMessage unknown;
  unknown.type = static_cast<ChannelMessageType>(99);
  ASSERT_GT(send(raw.get(), &unknown, sizeof unknown, 0), 0);
  EXPECT_EQ(channel.receive(got), ChannelOutcome::kMalformed);
}

TEST(SingleInstance, TheSecondLearnsThePidOfTheFirst) {
  const auto path = ::testing::TempDir() + "exemplar-lock-" + std::to_string(getpid());
  {
    const auto first = lock_instance(path);
    ASSERT_TRUE(first) << first.error().text;
    EXPECT_TRUE(first->acquired());
    const auto second = lock_instance(path);
    ASSERT_TRUE(second);
    EXPECT_FALSE(second->acquired());
    EXPECT_EQ(second->other_process, std::to_string(getpid()));
  }
  const auto third = lock_instance(path);
  ASSERT_TRUE(third);
  EXPECT_TRUE(third->acquired());
  std::filesystem::remove(path);
}

TEST(SingleInstance, WhoeverAsksLeavesNothingBehind) {
  const auto path = ::testing::TempDir() + "exemplar-asked-" + std::to_string(getpid());
  EXPECT_FALSE(lock_holder(path).held);
  EXPECT_FALSE(std::filesystem::exists(path));
  {
    const auto first = lock_instance(path);
    ASSERT_TRUE(first && first->acquired());
    const auto holder = lock_holder(path);
    EXPECT_TRUE(holder.held);
    EXPECT_EQ(holder.process, std::to_string(getpid()));
  }
  EXPECT_FALSE(lock_holder(path).held) << "the file stays, its holder is gone";
  std::filesystem::remove(path);
}

TEST(SingleInstance, ALinkOrADirectoryIsNoLockFile) {
  const auto path = ::testing::TempDir() + "exemplar-link-" + std::to_string(getpid());
  std::filesystem::create_symlink("/etc/hostname", path);
  EXPECT_FALSE(lock_instance(path));
  std::filesystem::remove(path);
  EXPECT_THAT(lock_instance("/nonexistent/lock").error().text, HasSubstr("/nonexistent/lock"));
}

TEST(Confinement, TriesFilesAsThePipelineWillReadThem) {
  if (!is_root()) GTEST_SKIP() << "needs root to become another user";
  const auto folder =
      std::filesystem::temp_directory_path() / ("exa_readable_" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  std::filesystem::permissions(folder, std::filesystem::perms(0755));
  const auto key = folder / "key.pem";
  std::ofstream(key) << "key";
  const auto uid = usual_reach().uid;
  const auto refusal = [&](const std::string& path) {
    const auto readable = check_readable_when_confined(path, uid);
    return readable ? std::string() : readable.error().text;
  };

  std::filesystem::permissions(key, std::filesystem::perms(0644));
  EXPECT_EQ(refusal(key), "");
  std::filesystem::permissions(key, std::filesystem::perms(0640));
  EXPECT_THAT(refusal(key),
              HasSubstr(key.string() + " cannot be read by user " + std::to_string(uid)));
  ASSERT_EQ(chown(key.c_str(), 0, uid), 0);
  EXPECT_EQ(refusal(key), "") << "through its group";
  std::filesystem::permissions(folder, std::filesystem::perms(0700));
  EXPECT_THAT(refusal(key), HasSubstr("search its directories"));
  EXPECT_THAT(refusal(folder / "none.pem"), HasSubstr("cannot be read"));
  std::filesystem::permissions(folder, std::filesystem::perms(0755));
  EXPECT_THAT(refusal(folder / "none.pem"), HasSubstr("No such file"));
  EXPECT_THAT(refusal(folder), HasSubstr("Is a directory"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace exa
