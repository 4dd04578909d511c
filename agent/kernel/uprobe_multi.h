// Probes on functions of a program or library: one BPF program on any number of places of one file,
// in every process that maps it now or later.
//
// Linux 6.6 has a link for that (BPF_LINK_TYPE_UPROBE_MULTI): attached and gone at once, with
// CAP_PERFMON. Older kernels get one perf event a place, each of which costs the kernel a
// synchronisation of some 100 ms to take away, and CAP_SYS_ADMIN.
// Prober only. The kernel takes the probes out of all processes when the descriptors close, also
// when the process is killed.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "exa/base/result.h"
#include "exa/base/unique_fd.h"

namespace exa::kernel {

enum class UprobeMethod { kMulti, kPerfEvent };
std::string_view uprobe_cost(UprobeMethod method);  // a sentence for the log and for `check`

enum class UprobePoint { kEntry, kReturn };

struct UprobeSite {
  std::uint64_t file_offset;
  std::uint64_t cookie;  // what bpf_get_attach_cookie says in the program
};

// Does the kernel have the multi link? program_fd: a program loaded for it.
[[nodiscard]] bool has_uprobe_multi(int program_fd);

class UprobeLink {
 public:
  // All sites or none. The file descriptor is borrowed for the call.
  static Result<UprobeLink> attach(UprobeMethod method, int program_fd, int file_fd,
                                   UprobePoint point, std::span<const UprobeSite> sites);

  [[nodiscard]] std::size_t descriptors() const { return held_.size(); }

 private:
  std::vector<UniqueFd> held_;
};

}  // namespace exa::kernel
