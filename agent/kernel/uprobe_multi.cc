#include "agent/kernel/uprobe_multi.h"

#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

namespace exa::kernel {
namespace {

// Of linux/bpf.h since Linux 6.6, newer than the headers this is built with.
constexpr std::uint32_t kTraceUprobeMulti = 48;

// The part of union bpf_attr that BPF_LINK_CREATE reads for a uprobe_multi link.
struct MultiLinkRequest {
  std::uint32_t program_fd = 0;
  std::uint32_t target_fd = 0;
  std::uint32_t attach_type = kTraceUprobeMulti;
  std::uint32_t link_flags = 0;
  std::uint64_t path = 0;
  std::uint64_t offsets = 0;
  std::uint64_t reference_counters = 0;
  std::uint64_t cookies = 0;
  std::uint32_t count = 0;
  std::uint32_t flags = 0;
  std::uint32_t process = 0;  // 0: every process
  std::uint32_t padding = 0;
};
static_assert(sizeof(MultiLinkRequest) == 64);

std::uint64_t address(const void* pointer) {
  return reinterpret_cast<std::uint64_t>(pointer);
}

int create_link(const MultiLinkRequest& request) {
  return static_cast<int>(::syscall(SYS_bpf, BPF_LINK_CREATE, &request, sizeof(request)));
}

}  // namespace

bool has_uprobe_multi(int program_fd) {
  const std::uint64_t offset = 0;
  MultiLinkRequest request;
  request.program_fd = static_cast<std::uint32_t>(program_fd);
  request.path = address("/");
  request.offsets = address(&offset);
  request.count = 1;
  const UniqueFd link(create_link(request));
  return link.valid() || errno == EBADF;  // the kind of link is known, a directory is no file
}

Result<UprobeLink> UprobeLink::attach(int program_fd, int file_fd,
                                      std::span<const UprobeSite> sites) {
  UprobeLink link;
  if (sites.empty()) return link;
  // By descriptor: whatever lies at the path by now, the probes go into the file that was read.
  const std::string path = "/proc/self/fd/" + std::to_string(file_fd);
  std::vector<std::uint64_t> offsets;
  std::vector<std::uint64_t> cookies;
  for (const UprobeSite& site : sites) {
    offsets.push_back(site.file_offset);
    cookies.push_back(site.cookie);
  }
  MultiLinkRequest request;
  request.program_fd = static_cast<std::uint32_t>(program_fd);
  request.path = address(path.c_str());
  request.offsets = address(offsets.data());
  request.cookies = address(cookies.data());
  request.count = static_cast<std::uint32_t>(sites.size());
  link.held_.reset(create_link(request));
  if (!link.held_.valid()) {
    const int reason = errno;
    return fail_errno(std::to_string(sites.size()) + " probes could not be placed", reason);
  }
  return link;
}

}  // namespace exa::kernel
