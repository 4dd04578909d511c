// What a pipeline that was taken over could open, signal, connect to and ask of the kernel. Each
// row is tried in a process that the product's own functions confine.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "agent/privilege/landlock.h"
#include "tests/unit/privilege/confined.h"

namespace exa {
namespace {

namespace fs = std::filesystem;

int socket_of(int family, int type, int protocol) {
  return error_of(socket(family, type, protocol));
}

// Without Landlock's rule the file is there to be read, or the row would prove nothing.
class Reach : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
    folder_ = fs::temp_directory_path() / ("exa_reach_" + std::to_string(getpid()));
    fs::create_directory(folder_);
    fs::permissions(folder_, fs::perms(0755));
    start_neighbour();
  }

  void TearDown() override {
    if (neighbour_ > 0) {
      kill(neighbour_, SIGKILL);
      waitpid(neighbour_, nullptr, 0);
    }
    if (!folder_.empty()) fs::remove_all(folder_);
  }

  static void expect(std::initializer_list<Attempt> attempts,
                     const PipelineReach& reach = usual_reach()) {
    for (const auto& [what, call, outcome] : attempts)
      EXPECT_EQ(in_pipeline(call, reach), outcome) << what;
  }

  std::string file(const std::string& name) {
    const auto path = folder_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << name;
    return path;
  }

  [[nodiscard]] std::string of_neighbour(const char* name) const {
    return "/proc/" + std::to_string(neighbour_) + "/" + name;
  }

  fs::path folder_;
  pid_t neighbour_ = 0;  // of the pipeline's own user, and willing to be looked at

 private:
  void start_neighbour() {
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    neighbour_ = fork();
    if (neighbour_ == 0) {
      const auto uid = usual_reach().uid;
      const bool changed = setgroups(0, nullptr) == 0 && setresgid(uid, uid, uid) == 0 &&
                           setresuid(uid, uid, uid) == 0 &&
                           prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0 &&
                           prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0;
      if (!changed || write(ready[1], "", 1) != 1) _exit(1);
      for (;;)
        pause();
    }
    char byte = 0;
    ASSERT_EQ(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
  }
};

TEST_F(Reach, NoFileButThoseThatItNeeds) {
  if (!landlock_version()) GTEST_SKIP() << landlock_version().error().text;
  const auto readable = file("open to every user");
  const auto config = file("agent.yaml");
  auto reach = usual_reach();
  reach.files = {file("tls/ca.pem"), fs::path(file("authorities/1.pem")).parent_path()};
  expect({{"the authority of a backend", [&] { return opened(reach.files[0]); }, "ok"},
          {"one of a folder of them", [&] { return opened(reach.files[1] + "/1.pem"); }, "ok"},
          {"the system's authorities", [] { return opened("/etc/ssl/certs/ca-certificates.crt"); },
           "ok"},
          {"where names come from", [] { return opened("/etc/resolv.conf"); }, "ok"},
          {"and from", [] { return opened("/etc/hosts"); }, "ok"},
          {"who has an account here", [] { return opened("/etc/passwd"); }, "EACCES"},
          {"their passwords", [] { return opened("/etc/shadow"); }, "EACCES"},
          {"what is in /etc", [] { return opened("/etc", O_RDONLY | O_DIRECTORY); }, "EACCES"},
          {"root's home", [] { return opened("/root"); }, "EACCES"},
          {"its settings", [&] { return opened(config); }, "EACCES"},
          {"any file", [&] { return opened(readable); }, "EACCES"},
          {"a device", [] { return opened("/dev/null"); }, "EACCES"},
          {"the kernel's settings", [] { return opened("/proc/sys/kernel/ostype"); }, "EACCES"},
          {"the kernel's devices", [] { return opened("/sys/devices/system/cpu/possible"); },
           "EACCES"}},
         reach);
}

TEST_F(Reach, NoProcessInProc) {
  if (!landlock_version()) GTEST_SKIP() << landlock_version().error().text;
  expect(
      {{"the list", [] { return opened("/proc"); }, "EACCES"},
       {"the first process", [] { return opened("/proc/1/status"); }, "EACCES"},
       {"the prober", [] { return opened("/proc/" + std::to_string(getppid()) + "/cmdline"); },
        "EACCES"},
       {"memory of a process of its user", [&] { return opened(of_neighbour("mem")); }, "EACCES"},
       {"its environment", [&] { return opened(of_neighbour("environ")); }, "EACCES"},
       {"what it maps", [&] { return opened(of_neighbour("maps")); }, "EACCES"},
       {"its files", [&] { return opened(of_neighbour("fd")); }, "EACCES"},
       {"its root", [&] { return opened(of_neighbour("root/etc/passwd")); }, "EACCES"},
       {"memory of its own", [] { return opened("/proc/self/mem"); }, "EACCES"},
       {"status of its own", [] { return opened("/proc/self/status"); }, "EACCES"}});
}

TEST_F(Reach, NothingIsWritten) {
  const auto mine = file("mine");
  ASSERT_EQ(chown(mine.c_str(), usual_reach().uid, usual_reach().uid), 0);
  auto reach = usual_reach();
  reach.files = {mine};
  expect({{"an own file", [&] { return opened(mine, O_WRONLY); }, "EPERM"},
          {"read and written", [&] { return opened(mine, O_RDWR); }, "EPERM"},
          {"emptied", [&] { return opened(mine, O_RDONLY | O_TRUNC); }, "EPERM"},
          {"emptied by name", [&] { return error_of(truncate(mine.c_str(), 0)); }, "EPERM"},
          {"a new file", [&] { return opened(mine + "2", O_RDONLY | O_CREAT); }, "EPERM"},
          {"a file without a name", [] { return opened("/tmp", O_RDWR | O_TMPFILE); }, "EPERM"},
          {"a folder", [] { return error_of(mkdir("/tmp/never", 0700)); }, "EPERM"},
          {"another name", [&] { return error_of(rename(mine.c_str(), "/tmp/never")); }, "EPERM"},
          {"a link", [&] { return error_of(link(mine.c_str(), "/tmp/never")); }, "EPERM"},
          {"no name", [&] { return error_of(unlink(mine.c_str())); }, "EPERM"},
          {"another mode", [&] { return error_of(chmod(mine.c_str(), 0777)); }, "EPERM"}},
         reach);
}

TEST_F(Reach, NoSignalButToItself) {
  const auto self_and = [](pid_t pid) { return pid == 0 ? getpid() : pid; };
  const auto queued = [&](pid_t pid) {
    siginfo_t info{};
    info.si_code = SI_QUEUE;
    return error_of(syscall(SYS_rt_sigqueueinfo, self_and(pid), 0, &info));
  };
  const auto owned = [&](int command) {
    const UniqueFd socket_fd(socket(AF_INET, SOCK_STREAM, 0));
    return error_of(fcntl(socket_fd.get(), command, neighbour_));
  };
  expect(
      {{"abort", []() -> int { std::abort(); }, "SIGABRT"},
       {"a process of its user", [&] { return error_of(kill(neighbour_, 0)); }, "EPERM"},
       {"a thread of that",
        [&] { return error_of(syscall(SYS_tgkill, neighbour_, neighbour_, 0)); }, "EPERM"},
       {"by the older call", [&] { return error_of(syscall(SYS_tkill, neighbour_, 0)); }, "EPERM"},
       {"with a value", [&] { return queued(neighbour_); }, "EPERM"},
       {"by a descriptor", [&] { return error_of(syscall(SYS_pidfd_open, neighbour_, 0)); },
        "EPERM"},
       {"which it might have", [] { return error_of(syscall(SYS_pidfd_send_signal, 3, 0, 0, 0)); },
        "EPERM"},
       {"by the kernel", [&] { return owned(F_SETOWN); }, "EPERM"},
       {"one of its choice", [&] { return owned(F_SETSIG); }, "EPERM"},
       {"the prober", [] { return error_of(kill(getppid(), 0)); }, "EPERM"},
       {"all", [] { return error_of(kill(-1, 0)); }, "EPERM"}});
}

TEST_F(Reach, NoOtherProcessIsTouched) {
  rlimit limit{};
  char byte = 0;
  iovec own{.iov_base = &byte, .iov_len = 1};
  iovec other = own;
  expect(
      {{"limits of its own", [&] { return error_of(prlimit(0, RLIMIT_NOFILE, nullptr, &limit)); },
        "ok"},
       {"limits", [&] { return error_of(prlimit(neighbour_, RLIMIT_NOFILE, nullptr, &limit)); },
        "EPERM"},
       {"trace", [&] { return error_of(ptrace(PTRACE_ATTACH, neighbour_, 0, 0)); }, "SIGSYS"},
       {"memory", [&] { return error_of(process_vm_readv(neighbour_, &own, 1, &other, 1, 0)); },
        "SIGSYS"},
       {"priority", [&] { return error_of(setpriority(PRIO_PROCESS, neighbour_, 19)); }, "EPERM"},
       {"a process of its own", [] { return error_of(fork()); }, "EPERM"},
       {"another program", [] { return error_of(execl("/bin/true", "true", nullptr)); }, "SIGSYS"},
       {"a thread with mounts of its own",
        [] { return error_of(syscall(SYS_clone, CLONE_THREAD | CLONE_NEWNS, 0, 0, 0, 0)); },
        "EPERM"},
       {"another user", [] { return error_of(setuid(0)); }, "SIGSYS"},
       {"a user namespace", [] { return error_of(unshare(CLONE_NEWUSER)); }, "SIGSYS"}});
}

TEST_F(Reach, NoSocketsButTcpUdpAndTheAddressesOfThisHost) {
  const auto pair_of = [](int type) {
    int fds[2];
    return error_of(socketpair(AF_UNIX, type, 0, fds));
  };
  expect(
      {{"TCP", [] { return socket_of(AF_INET, SOCK_STREAM, 0); }, "ok"},
       {"TCP over IPv6", [] { return socket_of(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 6); }, "ok"},
       {"UDP", [] { return socket_of(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_UDP); }, "ok"},
       {"addresses", [] { return socket_of(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE); },
        "ok"},
       {"threads wake each other", [&] { return pair_of(SOCK_STREAM); }, "ok"},
       {"and no one else", [&] { return pair_of(SOCK_DGRAM); }, "EPERM"},
       {"raw IP", [] { return socket_of(AF_INET, SOCK_RAW, IPPROTO_TCP); }, "EPERM"},
       {"ping", [] { return socket_of(AF_INET, SOCK_DGRAM, IPPROTO_ICMP); }, "EPERM"},
       {"MPTCP", [] { return socket_of(AF_INET, SOCK_STREAM, IPPROTO_MPTCP); }, "EPERM"},
       {"SCTP", [] { return socket_of(AF_INET, SOCK_STREAM, IPPROTO_SCTP); }, "EPERM"},
       {"AF_UNIX", [] { return socket_of(AF_UNIX, SOCK_STREAM, 0); }, "EPERM"},
       {"packets", [] { return socket_of(AF_PACKET, SOCK_DGRAM, 0); }, "EPERM"},
       {"ciphers of the kernel", [] { return socket_of(AF_ALG, SOCK_SEQPACKET, 0); }, "EPERM"},
       {"the hypervisor", [] { return socket_of(AF_VSOCK, SOCK_STREAM, 0); }, "EPERM"},
       {"audit", [] { return socket_of(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT); }, "EPERM"},
       {"netfilter", [] { return socket_of(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER); }, "EPERM"}});
}

// A server in this process, on a port of its own.
struct Listener {
  Listener() : socket_fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    EXPECT_TRUE(socket_fd.valid());
    if (!socket_fd.valid()) return;
    EXPECT_EQ(bind(socket_fd.get(), plain, size), 0);
    EXPECT_EQ(listen(socket_fd.get(), 8), 0);
    EXPECT_EQ(getsockname(socket_fd.get(), plain, &size), 0);
  }
  [[nodiscard]] std::uint16_t port() const { return ntohs(address.sin_port); }
  [[nodiscard]] int connected() const { return with(::connect); }
  [[nodiscard]] int fast_opened() const {
    const UniqueFd client(socket(AF_INET, SOCK_STREAM, 0));
    if (!client.valid()) return errno;
    return error_of(sendto(client.get(), "x", 1, MSG_FASTOPEN,
                           reinterpret_cast<const sockaddr*>(&address), sizeof address));
  }
  template <typename Call>
  [[nodiscard]] int with(Call call) const {
    const UniqueFd client(socket(AF_INET, SOCK_STREAM, 0));
    if (!client.valid()) return errno;
    const int yes = 1;
    setsockopt(client.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    return error_of(
        call(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
  }
  UniqueFd socket_fd;
  sockaddr_in address{};
};

TEST_F(Reach, NoPortsButThoseOfItsEndpointAndItsBackends) {
  const auto version = landlock_version();
  if (!version || *version < 4) GTEST_SKIP() << "Landlock has no rules for ports here";
  const Listener backend;
  const Listener other;
  Listener endpoint;
  endpoint.socket_fd.reset();
  Listener elsewhere;
  elsewhere.socket_fd.reset();
  auto reach = usual_reach();
  reach.connect_ports = {backend.port()};
  reach.listen_port = endpoint.port();
  expect({{"its backend", [&] { return backend.connected(); }, "ok"},
          {"another server", [&] { return other.connected(); }, "EACCES"},
          {"past the rules", [&] { return other.fast_opened(); }, "EPERM"},
          {"its endpoint", [&] { return endpoint.with(::bind); }, "ok"},
          {"another port", [&] { return elsewhere.with(::bind); }, "EACCES"}},
         reach);
  expect({{"no endpoint", [&] { return endpoint.with(::bind); }, "EACCES"},
          {"no backend", [&] { return backend.connected(); }, "EACCES"}});
}

TEST_F(Reach, NoCodeGetsIntoTheKernelOrIntoItself) {
  const auto set = [](int level, int option, const void* value, socklen_t size) {
    const UniqueFd socket_fd(socket(AF_INET, SOCK_STREAM, 0));
    return error_of(setsockopt(socket_fd.get(), level, option, value, size));
  };
  static sock_filter take_all = {.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = ~0u};
  static const sock_fprog program = {.len = 1, .filter = &take_all};
  const auto mapped = [](int protection) {
    return mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  };
  expect(
      {{"a filter on a socket",
        [&] { return set(SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program); }, "EPERM"},
       {"the kernel's TLS", [&] { return set(IPPROTO_TCP, TCP_ULP, "tls", 3); }, "EPERM"},
       {"another filter of calls",
        [] { return error_of(prctl(PR_SET_SECCOMP, 2, &program, 0, 0)); }, "EPERM"},
       {"memory that runs", [&] { return mapped(PROT_READ | PROT_EXEC) == MAP_FAILED ? errno : 0; },
        "EPERM"},
       {"made to run",
        [&] { return error_of(mprotect(mapped(PROT_READ | PROT_WRITE), 4096, PROT_EXEC)); },
        "EPERM"},
       {"a file in memory", [] { return error_of(memfd_create("code", 0)); }, "EPERM"},
       {"typed into a terminal", [] { return error_of(ioctl(0, TIOCSTI, "x")); }, "EPERM"},
       {"asynchronous calls", [] { return error_of(syscall(SYS_io_uring_setup, 8, nullptr)); },
        "SIGSYS"},
       {"counters", [] { return error_of(syscall(SYS_perf_event_open, nullptr, 0, -1, -1, 0)); },
        "SIGSYS"},
       {"dumpable again", [] { return error_of(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)); }, "EPERM"},
       {"traced by anyone", [] { return error_of(prctl(PR_SET_PTRACER, -1, 0, 0, 0)); }, "EPERM"}});
}

TEST_F(Reach, OfBpfOnlyLooksIntoMapsThatItHas) {
  for (int command = BPF_MAP_CREATE; command < 64; ++command) {
    const bool looks = command == BPF_MAP_LOOKUP_ELEM || command == BPF_MAP_LOOKUP_BATCH ||
                       command == BPF_OBJ_GET_INFO_BY_FD;
    const auto outcome = in_pipeline([&] {
      bpf_attr attributes{};
      attributes.map_fd = ~0u;
      return error_of(syscall(SYS_bpf, command, &attributes, sizeof attributes));
    });
    if (looks)
      EXPECT_NE(outcome, "EPERM") << command;
    else
      EXPECT_EQ(outcome, "EPERM") << command;
  }
}

}  // namespace
}  // namespace exa
