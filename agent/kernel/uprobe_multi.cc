#include "agent/kernel/uprobe_multi.h"

#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>

namespace exa::kernel {
namespace {

// Of linux/bpf.h since Linux 6.6, newer than the headers this is built with.
constexpr std::uint32_t kTraceUprobeMulti = 48;
constexpr std::uint32_t kMultiReturn = 1;

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

// For a perf event link with a cookie (Linux 5.15).
struct PerfLinkRequest {
  std::uint32_t program_fd = 0;
  std::uint32_t target_fd = 0;
  std::uint32_t attach_type = BPF_PERF_EVENT;
  std::uint32_t link_flags = 0;
  std::uint64_t cookie = 0;
};

std::uint64_t address(const void* pointer) {
  return reinterpret_cast<std::uint64_t>(pointer);
}

template <typename Request>
int create_link(const Request& request) {
  return static_cast<int>(::syscall(SYS_bpf, BPF_LINK_CREATE, &request, sizeof(request)));
}

Result<std::uint32_t> read_number(const char* path, const char* prefix) {
  std::ifstream file(path);
  std::string text;
  if (!std::getline(file, text) || !text.starts_with(prefix))
    return fail(std::string(path) + " could not be read: this kernel has no uprobes");
  return static_cast<std::uint32_t>(std::stoul(text.substr(std::string_view(prefix).size())));
}

Result<UniqueFd> open_perf_uprobe(const std::string& path, UprobePoint point,
                                  std::uint64_t file_offset) {
  auto type = read_number("/sys/bus/event_source/devices/uprobe/type", "");
  if (!type) return std::unexpected(type.error());
  auto return_bit = read_number("/sys/bus/event_source/devices/uprobe/format/retprobe", "config:");
  if (!return_bit) return std::unexpected(return_bit.error());
  perf_event_attr event{};
  event.size = sizeof(event);
  event.type = *type;
  if (point == UprobePoint::kReturn) event.config |= std::uint64_t{1} << *return_bit;
  event.config1 = address(path.c_str());
  event.config2 = file_offset;
  UniqueFd held(
      static_cast<int>(::syscall(SYS_perf_event_open, &event, -1, 0, -1, PERF_FLAG_FD_CLOEXEC)));
  if (!held.valid()) {
    const int reason = errno;
    return fail_errno("a probe could not be placed at offset " + std::to_string(file_offset),
                      reason);
  }
  return held;
}

}  // namespace

std::string_view uprobe_cost(UprobeMethod method) {
  if (method == UprobeMethod::kMulti)
    return "TLS probes by uprobe_multi links: attached and removed at once";
  return "TLS probes by perf events, one a place: removing each takes the kernel some 100 ms, and "
         "the agent keeps CAP_SYS_ADMIN for them (Linux 6.6 and newer need neither)";
}

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

Result<UprobeLink> UprobeLink::attach(UprobeMethod method, int program_fd, int file_fd,
                                      UprobePoint point, std::span<const UprobeSite> sites) {
  UprobeLink link;
  if (sites.empty()) return link;
  // By descriptor: whatever lies at the path by now, the probes go into the file that was read.
  const std::string path = "/proc/self/fd/" + std::to_string(file_fd);

  if (method == UprobeMethod::kMulti) {
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
    request.flags = point == UprobePoint::kReturn ? kMultiReturn : 0;
    UniqueFd held(create_link(request));
    if (!held.valid()) {
      const int reason = errno;
      return fail_errno(std::to_string(sites.size()) + " probes could not be placed", reason);
    }
    link.held_.push_back(std::move(held));
    return link;
  }

  for (const UprobeSite& site : sites) {
    auto event = open_perf_uprobe(path, point, site.file_offset);
    if (!event) return std::unexpected(event.error());
    PerfLinkRequest request;
    request.program_fd = static_cast<std::uint32_t>(program_fd);
    request.target_fd = static_cast<std::uint32_t>(event->get());
    request.cookie = site.cookie;
    UniqueFd held(create_link(request));
    if (!held.valid()) {
      const int reason = errno;
      return fail_errno("the TLS program could not be attached to a probe", reason);
    }
    link.held_.push_back(std::move(held));
    link.held_.push_back(std::move(*event));
  }
  return link;
}

}  // namespace exa::kernel
