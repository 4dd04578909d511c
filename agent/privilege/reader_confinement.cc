// What a reader and the zygote are left with.
#include <cap-ng.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <span>
#include <string>

#include "agent/privilege/capabilities.h"
#include "agent/privilege/reader_confinement.h"
#include "agent/privilege/zygote.h"

namespace exa {
namespace {

// What reading, computing and answering takes.
constexpr const char* kReading[] = {
    "read",   "pread64",         "fstat",      "recvmsg",    "sendmsg",      "close",
    "brk",    "munmap",          "mremap",     "madvise",    "futex",        "clock_gettime",
    "getpid", "gettid",          "exit",       "exit_group", "rt_sigreturn", "restart_syscall",
    "rseq",   "set_robust_list", "newfstatat",
};

// What the zygote needs besides, to make readers and to confine them.
constexpr const char* kForking[] = {
    "fork",   "vfork",       "wait4",          "pidfd_open",      "pidfd_send_signal",
    "poll",   "ppoll",       "prctl",          "seccomp",         "capget",
    "capset", "close_range", "rt_sigprocmask", "rt_sigaction",    "prlimit64",
    "openat", "getrlimit",   "setrlimit",      "set_tid_address", "dup3",
};

constexpr rlim_t kReaderMemory = rlim_t{96} << 20;
constexpr rlim_t kFileReaderSeconds = 20;
constexpr rlim_t kReaderDescriptors = 64;

Result<> keep_system_calls(std::initializer_list<std::span<const char* const>> lists, bool forks) {
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)),
                                                                seccomp_release);
  if (!filter) return fail("out of memory for the system call filter of readers");
  seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  int status = 0;
  const auto keep = [&](const char* name, auto... conditions) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || number < 0 || status != 0) return;
    status = seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, number, sizeof...(conditions),
                              conditions...);
  };
  for (const auto& list : lists)
    for (const char* const name : list)
      keep(name);
  for (const char* const name : {"mmap", "mprotect"})
    keep(name, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  // Processes of its own kind, in no namespace of their own.
  if (forks) {
    constexpr scmp_datum_t kNamespaces =
        CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
    keep("clone", SCMP_A0(SCMP_CMP_MASKED_EQ, kNamespaces, 0));
    if (status == 0)
      status = seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS),
                                seccomp_syscall_resolve_name("clone3"), 0);
  }
  if (status == 0) status = seccomp_load(filter.get());
  if (status != 0) return fail_errno("cannot install the system call filter of readers", -status);
  return {};
}

// Beyond what the program and its libraries take already.
void bound_memory() {
  unsigned long data_pages = 0;
  if (std::FILE* const file = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(file, "%*u %*u %*u %*u %*u %lu", &data_pages) != 1) data_pages = 0;
    std::fclose(file);
  }
  if (data_pages == 0) return;
  const rlim_t bytes = data_pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + kReaderMemory;
  const rlimit limit{.rlim_cur = bytes, .rlim_max = bytes};
  setrlimit(RLIMIT_DATA, &limit);
}

}  // namespace

Result<> keep_the_right_to_open() {
  capng_clear(CAPNG_SELECT_ALL);
  if (capng_get_caps_process() != 0) return fail("cannot read the capabilities of this process");
  const bool present = capng_have_capability(CAPNG_PERMITTED, CAP_DAC_READ_SEARCH) == 1;
  capng_clear(CAPNG_SELECT_CAPS);
  if (present) capng_update(CAPNG_ADD, CAPNG_PERMITTED, CAP_DAC_READ_SEARCH);
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) return fail("cannot drop the capabilities");
  return {};
}

Result<> confine_zygote() {
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    return fail_errno("cannot clear the dumpable flag", errno);
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) return fail_errno("cannot disable core dumps", errno);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return fail_errno("cannot set no_new_privs", errno);
  return keep_system_calls({kReading, kForking}, true);
}

Result<UniqueFd> open_as_reader(int place_fd) {
  capng_clear(CAPNG_SELECT_ALL);
  if (capng_get_caps_process() == 0 &&
      capng_have_capability(CAPNG_PERMITTED, CAP_DAC_READ_SEARCH) == 1) {
    capng_update(CAPNG_ADD, CAPNG_EFFECTIVE, CAP_DAC_READ_SEARCH);
    capng_apply(CAPNG_SELECT_CAPS);
  }
  const std::string path = "/proc/self/fd/" + std::to_string(place_fd);
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.valid()) return fail_errno("cannot open the file", errno);
  return file;
}

Result<> confine_reader(ReaderKind kind) {
  bound_memory();
  if (auto dropped = drop_all_capabilities(); !dropped) return dropped;
  if (kind == ReaderKind::kFile) {
    const rlimit time{.rlim_cur = kFileReaderSeconds, .rlim_max = kFileReaderSeconds};
    setrlimit(RLIMIT_CPU, &time);
  }
  const rlimit descriptors{.rlim_cur = kReaderDescriptors, .rlim_max = kReaderDescriptors};
  setrlimit(RLIMIT_NOFILE, &descriptors);
  return keep_system_calls({kReading}, false);
}

}  // namespace exa
