#include "agent/privilege/syscall_filter.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <memory>

namespace exa {
namespace {

// Whatever the arguments. Names that the architecture lacks are skipped.
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
    "prlimit64",
    "getrlimit",
    "uname",
    "sysinfo",
    "getrandom",
    "tgkill",
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
    "fcntl",
    "dup",
    "dup3",
    "fsync",
    "fdatasync",
    "ftruncate",
    "sendfile",
    // names: certificates, resolver settings, /proc/self
    "newfstatat",
    "stat",
    "lstat",
    "statx",
    "fstatfs",
    "statfs",
    "access",
    "faccessat",
    "faccessat2",
    "readlink",
    "readlinkat",
    "getdents64",
    "getcwd",
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
    "setsockopt",
    "sendto",
    "recvfrom",
    "sendmsg",
    "recvmsg",
    "sendmmsg",
    "recvmmsg",
};

constexpr const char* kDeadly[] = {
    "execve",        "execveat",   "ptrace",          "process_vm_readv",  "process_vm_writev",
    "pidfd_getfd",   "mount",      "umount2",         "move_mount",        "open_tree",
    "fsopen",        "pivot_root", "chroot",          "init_module",       "finit_module",
    "delete_module", "kexec_load", "kexec_file_load", "perf_event_open",   "userfaultfd",
    "keyctl",        "add_key",    "request_key",     "unshare",           "setns",
    "setuid",        "setgid",     "setresuid",       "setresgid",         "setreuid",
    "setregid",      "setgroups",  "capset",          "open_by_handle_at", "io_uring_setup",
};

class FilterBuilder {
 public:
  FilterBuilder() : context_(seccomp_init(SCMP_ACT_ERRNO(EPERM)), seccomp_release) {}

  [[nodiscard]] bool valid() const { return context_ != nullptr; }

  template <typename... Conditions>
  void add(std::uint32_t action, const char* name, Conditions... conditions) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || number < 0) return;
    const int added =
        seccomp_rule_add(context_.get(), action, number, sizeof...(conditions), conditions...);
    if (added != 0 && error_ == 0) error_ = -added;
  }

  Result<> load() {
    seccomp_attr_set(context_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (error_ == 0) error_ = -seccomp_load(context_.get());
    if (error_ != 0) return fail_errno("cannot install the system call filter", error_);
    return {};
  }

 private:
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
  int error_ = 0;
};

}  // namespace

Result<> filter_pipeline_syscalls() {
  FilterBuilder filter;
  if (!filter.valid()) return fail("no memory for the system call filter");
  constexpr auto kAllow = SCMP_ACT_ALLOW;
  for (const auto* name : kAllowed)
    filter.add(kAllow, name);
  for (const auto* name : kDeadly)
    filter.add(SCMP_ACT_KILL_PROCESS, name);

  // Threads, never processes. clone3 hides its flags in memory: as if the kernel lacked it, the C
  // library falls back to clone.
  filter.add(kAllow, "clone", SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
  filter.add(SCMP_ACT_ERRNO(ENOSYS), "clone3");

  for (const auto* name : {"mmap", "mprotect"})
    filter.add(kAllow, name, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));

  // Reading only: nothing is created, nothing opened for writing.
  filter.add(kAllow, "openat",
             SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
  filter.add(kAllow, "open", SCMP_A1(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));

  // Netlink is how the resolver asks which addresses this host has.
  for (const int family : {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK})
    filter.add(kAllow, "socket", SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(family)));
  filter.add(kAllow, "socketpair", SCMP_A0(SCMP_CMP_EQ, AF_UNIX));

  for (const std::uint64_t request : {std::uint64_t{FIONREAD}, std::uint64_t{FIONBIO},
                                      std::uint64_t{TCGETS}, std::uint64_t{TIOCGWINSZ}})
    filter.add(kAllow, "ioctl", SCMP_A1(SCMP_CMP_EQ, request));

  // Inherited maps are read; nothing is loaded, attached or pinned.
  for (const int command : {BPF_MAP_LOOKUP_ELEM, BPF_MAP_LOOKUP_BATCH, BPF_OBJ_GET_INFO_BY_FD})
    filter.add(kAllow, "bpf", SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(command)));

  // Names of threads; reading back what holds.
  for (const int option :
       {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP, PR_SET_VMA})
    filter.add(kAllow, "prctl", SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(option)));

  return filter.load();
}

}  // namespace exa
