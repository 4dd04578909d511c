// Probes on functions of a program or library: one BPF program on any number of places of one file,
// in every process that maps it now or later.
//
// One kind of link, of Linux 6.6: attached and gone at once, with CAP_PERFMON. What older kernels
// have instead, one perf event a place, needs CAP_SYS_ADMIN, which the prober does not keep, and
// some 100 ms to take each away: there TLS stays unread.
// Never a return probe (uretprobe): it replaces the return address on the program's stack, and a
// program that switches stacks, throws or is cancelled within the function dies of that.
// Prober only. The kernel takes the probes out of all processes when the descriptor closes, also
// when the process is killed.
#pragma once

#include <cstdint>
#include <span>

#include "exa/base/result.h"
#include "exa/base/unique_fd.h"

namespace exa::kernel {

struct UprobeSite {
  std::uint64_t file_offset;
  std::uint64_t cookie;  // what bpf_get_attach_cookie says in the program
};

// Does the kernel have this link? program_fd: a program loaded for it.
[[nodiscard]] bool has_uprobe_multi(int program_fd);

class UprobeLink {
 public:
  UprobeLink() = default;  // to nothing
  // All sites or none. The file descriptor is borrowed for the call.
  static Result<UprobeLink> attach(int program_fd, int file_fd, std::span<const UprobeSite> sites);

 private:
  UniqueFd held_;
};

}  // namespace exa::kernel
