#include "agent/privilege/syscall_filter.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#include "agent/privilege/filter_builder.h"

namespace exa {
namespace {

// Whatever the arguments.
constexpr const char* kAllowed[] = {
    // memory
    "brk",
    "munmap",
    "mremap",
    "madvise",
    "membarrier",
    // threads and time
    "futex",
    "futex_waitv",
    "set_robust_list",
    "rseq",
    "sched_yield",
    "sched_getaffinity",
    "gettid",
    "getpid",
    "getppid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "clock_gettime",
    "clock_getres",
    "clock_nanosleep",
    "nanosleep",
    "gettimeofday",
    "time",
    "exit",
    "exit_group",
    "restart_syscall",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sigaltstack",
    "getcpu",
    "getrusage",
    "uname",
    "sysinfo",
    "getrandom",
    // waiting
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "epoll_pwait2",
    "poll",
    "ppoll",
    "select",
    "pselect6",
    "eventfd2",
    "pipe2",
    "timerfd_create",
    "timerfd_settime",
    "timerfd_gettime",
    // descriptors it has
    "read",
    "readv",
    "pread64",
    "write",
    "writev",
    "pwrite64",
    "close",
    "lseek",
    "fstat",
    "dup",
    "dup3",
    "fsync",
    "fdatasync",
    "ftruncate",
    "sendfile",
    // names: certificates, resolver settings; Landlock says which can be opened
    "newfstatat",
    "stat",
    "lstat",
    "statx",
    "access",
    "faccessat",
    "faccessat2",
    "readlink",
    "readlinkat",
    // the network
    "bind",
    "listen",
    "accept",
    "accept4",
    "connect",
    "shutdown",
    "getsockname",
    "getpeername",
    "getsockopt",
    "recvfrom",
    "recvmsg",
    "recvmmsg",
};

// Calls that neither process has a use for, and of which one is proof enough: a new program,
// another process' memory, mounts, modules, key rings, other users.
constexpr const char* kDeadly[] = {"execve",
                                   "execveat",
                                   "ptrace",
                                   "process_vm_readv",
                                   "process_vm_writev",
                                   "pidfd_getfd",
                                   "mount",
                                   "umount2",
                                   "move_mount",
                                   "open_tree",
                                   "fsopen",
                                   "fsmount",
                                   "fspick",
                                   "mount_setattr",
                                   "pivot_root",
                                   "chroot",
                                   "swapon",
                                   "init_module",
                                   "finit_module",
                                   "delete_module",
                                   "kexec_load",
                                   "kexec_file_load",
                                   "perf_event_open",
                                   "userfaultfd",
                                   "keyctl",
                                   "add_key",
                                   "request_key",
                                   "unshare",
                                   "setns",
                                   "setuid",
                                   "setgid",
                                   "setresuid",
                                   "setresgid",
                                   "setreuid",
                                   "setregid",
                                   "setgroups",
                                   "setfsuid",
                                   "setfsgid",
                                   "capset",
                                   "open_by_handle_at",
                                   "io_uring_setup",
                                   "reboot",
                                   "iopl",
                                   "ioperm",
                                   "personality",
                                   "settimeofday",
                                   "clock_settime",
                                   "sethostname",
                                   "setdomainname"};

// Of the prober: processes, the network, files that are there, and what others run by.
constexpr const char* kRefusedToProber[] = {"fork",
                                            "vfork",
                                            "socket",
                                            "connect",
                                            "bind",
                                            "listen",
                                            "accept",
                                            "accept4",
                                            "chmod",
                                            "fchmod",
                                            "fchmodat",
                                            "fchmodat2",
                                            "chown",
                                            "fchown",
                                            "lchown",
                                            "fchownat",
                                            "link",
                                            "linkat",
                                            "symlink",
                                            "symlinkat",
                                            "mknod",
                                            "mknodat",
                                            "mkdir",
                                            "mkdirat",
                                            "truncate",
                                            "setxattr",
                                            "lsetxattr",
                                            "fsetxattr",
                                            "removexattr",
                                            "lremovexattr",
                                            "fremovexattr",
                                            "sched_setscheduler",
                                            "sched_setattr",
                                            "sched_setparam",
                                            "sched_setaffinity",
                                            "setpriority",
                                            "ioprio_set",
                                            "migrate_pages",
                                            "move_pages",
                                            "quotactl",
                                            "acct",
                                            "syslog",
                                            "vhangup",
                                            "process_madvise",
                                            "process_mrelease",
                                            "kcmp",
                                            "lookup_dcookie",
                                            "landlock_restrict_self"};

constexpr auto kAllow = SCMP_ACT_ALLOW;

// An int of the call has this value; the upper half of its register may hold anything.
scmp_arg_cmp is(unsigned argument, int value, int ignored_bits = 0) {
  return {.arg = argument,
          .op = SCMP_CMP_MASKED_EQ,
          .datum_a = ~static_cast<std::uint32_t>(ignored_bits),
          .datum_b = static_cast<std::uint32_t>(value)};
}

scmp_arg_cmp has_none_of(unsigned argument, std::uint32_t bits) {
  return {.arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = bits, .datum_b = 0};
}

void allow_of_itself(FilterBuilder& filter) {
  const int self = getpid();
  filter.add(kAllow, "tgkill", is(0, self));  // abort
  for (const int process : {0, self})
    filter.add(kAllow, "prlimit64", is(0, process));
}

void allow_sockets(FilterBuilder& filter) {
  constexpr int kAnyFlags = SOCK_CLOEXEC | SOCK_NONBLOCK;
  // TCP to backends, UDP to name servers. Neither raw packets nor ping nor MPTCP, which Landlock's
  // rules for TCP would not see.
  constexpr std::pair<int, int> kKinds[] = {
      {SOCK_STREAM, 0}, {SOCK_STREAM, IPPROTO_TCP}, {SOCK_DGRAM, 0}, {SOCK_DGRAM, IPPROTO_UDP}};
  for (const int family : {AF_INET, AF_INET6})
    for (const auto& [type, protocol] : kKinds)
      filter.add(kAllow, "socket", is(0, family), is(1, type, kAnyFlags), is(2, protocol));
  // How the resolver asks which addresses this host has.
  filter.add(kAllow, "socket", is(0, AF_NETLINK), is(1, SOCK_RAW, kAnyFlags), is(2, NETLINK_ROUTE));
  // Wake-ups between threads. No socket of AF_UNIX else: the resolver goes on without nscd. Not
  // datagrams, which could be sent to others after all.
  filter.add(kAllow, "socketpair", is(0, AF_UNIX), is(1, SOCK_STREAM, kAnyFlags));

  // Fast open would connect past Landlock.
  filter.add(kAllow, "sendto", has_none_of(3, MSG_FASTOPEN));
  filter.add(kAllow, "sendmsg", has_none_of(2, MSG_FASTOPEN));
  filter.add(kAllow, "sendmmsg", has_none_of(3, MSG_FASTOPEN));

  // Of curl, libmicrohttpd, the resolver and us. Others load filters into the kernel
  // (SO_ATTACH_FILTER), hand the stream to its TLS (TCP_ULP) or choose the way out.
  constexpr std::pair<int, int> kOptions[] = {
      {SOL_SOCKET, SO_REUSEADDR},   {SOL_SOCKET, SO_REUSEPORT},       {SOL_SOCKET, SO_KEEPALIVE},
      {SOL_SOCKET, SO_RCVBUF},      {SOL_SOCKET, SO_SNDBUF},          {SOL_SOCKET, SO_RCVTIMEO},
      {SOL_SOCKET, SO_SNDTIMEO},    {SOL_SOCKET, SO_LINGER},          {IPPROTO_TCP, TCP_NODELAY},
      {IPPROTO_TCP, TCP_CORK},      {IPPROTO_TCP, TCP_KEEPIDLE},      {IPPROTO_TCP, TCP_KEEPINTVL},
      {IPPROTO_TCP, TCP_KEEPCNT},   {IPPROTO_TCP, TCP_USER_TIMEOUT},  {IPPROTO_TCP, TCP_FASTOPEN},
      {IPPROTO_IP, IP_RECVERR},     {IPPROTO_IP, IP_MTU_DISCOVER},    {IPPROTO_IPV6, IPV6_V6ONLY},
      {IPPROTO_IPV6, IPV6_RECVERR}, {IPPROTO_IPV6, IPV6_MTU_DISCOVER}};
  for (const auto& [level, option] : kOptions)
    filter.add(kAllow, "setsockopt", is(1, level), is(2, option));
}

}  // namespace

Result<> filter_pipeline_syscalls() {
  FilterBuilder filter(SCMP_ACT_ERRNO(EPERM));
  filter.add_all(kAllow, kAllowed);
  filter.add_all(SCMP_ACT_KILL_PROCESS, kDeadly);
  allow_of_itself(filter);
  allow_sockets(filter);

  // Threads, never processes. clone3 hides its flags in memory: as if the kernel lacked it, the C
  // library falls back to clone.
  constexpr auto kNamespaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                               CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;
  filter.add(kAllow, "clone",
             SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD | kNamespaces, CLONE_THREAD));
  filter.add(SCMP_ACT_ERRNO(ENOSYS), "clone3");

  for (const auto* name : {"mmap", "mprotect"})
    filter.add(kAllow, name, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));

  // Reading only: nothing is created, nothing opened for writing.
  filter.add(kAllow, "openat",
             SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
  filter.add(kAllow, "open", SCMP_A1(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));

  // Not F_SETOWN, which has the kernel send signals to others.
  for (const int command : {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD, F_DUPFD_CLOEXEC})
    filter.add(kAllow, "fcntl", is(1, command));

  for (const std::uint64_t request : {std::uint64_t{FIONREAD}, std::uint64_t{FIONBIO},
                                      std::uint64_t{TCGETS}, std::uint64_t{TIOCGWINSZ}})
    filter.add(kAllow, "ioctl", SCMP_A1(SCMP_CMP_EQ, request));

  // Inherited maps are read; nothing is loaded, attached or pinned.
  for (const int command : {BPF_MAP_LOOKUP_ELEM, BPF_MAP_LOOKUP_BATCH, BPF_OBJ_GET_INFO_BY_FD})
    filter.add(kAllow, "bpf", is(0, command));

  // Names of threads; reading back what holds.
  for (const int option :
       {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP, PR_SET_VMA})
    filter.add(kAllow, "prctl", is(0, option));

  return filter.load();
}

Result<> filter_prober_syscalls() {
  FilterBuilder filter(SCMP_ACT_ALLOW);
  filter.add_all(SCMP_ACT_KILL_PROCESS, kDeadly);
  constexpr auto kRefuse = SCMP_ACT_ERRNO(EPERM);
  filter.add_all(kRefuse, kRefusedToProber);
  filter.add(kRefuse, "clone", SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
  filter.add(SCMP_ACT_ERRNO(ENOSYS), "clone3");
  for (const auto* name : {"mmap", "mprotect", "pkey_mprotect"})
    filter.add(kRefuse, name, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
  return filter.load();
}

}  // namespace exa
