#include "agent/kernel/bpf_object.h"

#include <bpf/bpf.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "agent/kernel/libbpf_log.h"
#include "exa/abi/config.h"

namespace exa::kernel {

std::unexpected<Error> fail_with_reason(std::string what, int errno_value) {
  const std::string said = take_libbpf_warnings();
  if (!said.empty()) what += " (libbpf: " + said + ")";
  return fail_errno(std::move(what), errno_value);
}

namespace {

// What the kernel's coarse clocks move by.
std::uint32_t tick_ns() {
  timespec tick{};
  if (::clock_getres(CLOCK_MONOTONIC_COARSE, &tick) != 0) return 0;
  return static_cast<std::uint32_t>(tick.tv_nsec);
}

}  // namespace

void configure(exa_capture_config& to, const CaptureConfig& from) {
  to.capture_budget_bytes = from.capture_budget_bytes;
  to.ignore_after_runs = from.ignore_after_runs;
  to.retry_after_runs = from.retry_after_runs;
  to.wakeup_fill_bytes = from.event_ring_bytes / from.event_rings / 4;
  to.event_ring_bytes = from.event_ring_bytes / from.event_rings;
  to.event_ring_mask = from.event_rings - 1;
  to.pid_namespace_inode = pid_namespace_inode();
  to.tick_ns = tick_ns();
  to.tick_ms_q20 = static_cast<std::uint32_t>((std::uint64_t{to.tick_ns} << 20) / 1'000'000);
  to.call_facts = from.call_facts ? 1 : 0;
  to.tell_sleeps = from.call_sleeps ? 1 : 0;
  to.included_port_count = static_cast<std::uint32_t>(from.included_ports.size());
  to.excluded_port_count = static_cast<std::uint32_t>(from.excluded_ports.size());
  std::copy(from.included_ports.begin(), from.included_ports.end(), to.included_ports);
  std::copy(from.excluded_ports.begin(), from.excluded_ports.end(), to.excluded_ports);
}

namespace {

template <class Part>
Part& expected(Part* part, const char* name) {
  if (part) return *part;
  std::fprintf(stderr, "exemplar-agent: its BPF programs have no %s\n", name);
  std::abort();
}

}  // namespace

bpf_map& map_of(const bpf_object& object, const char* name) {
  return expected(bpf_object__find_map_by_name(&object, name), name);
}

int map_fd_of(const bpf_object& object, const char* name) {
  return bpf_map__fd(&map_of(object, name));
}

bpf_program& program_of(const bpf_object& object, const char* name) {
  return expected(bpf_object__find_program_by_name(&object, name), name);
}

Result<> share_maps(bpf_object& to, const bpf_object& from) {
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, &to) {
    if (bpf_map__is_internal(map)) continue;  // constants and variables
    const bpf_map* const same = bpf_object__find_map_by_name(&from, bpf_map__name(map));
    if (!same) continue;
    if (const int status = bpf_map__reuse_fd(map, bpf_map__fd(same)); status != 0)
      return fail_with_reason(std::string("the map ") + bpf_map__name(map) + " could not be shared",
                              -status);
  }
  return {};
}

Result<BpfLink> attach_to_map(const bpf_program& iterator, int map_fd, const std::string& what) {
  bpf_iter_link_info target{};
  target.map.map_fd = static_cast<std::uint32_t>(map_fd);
  bpf_iter_attach_opts options{};
  options.sz = sizeof(options);
  options.link_info = &target;
  options.link_info_len = sizeof(target);
  BpfLink link(bpf_program__attach_iter(&iterator, &options));
  if (!link) return fail_with_reason(what + " could not be attached", errno);
  return link;
}

Result<> walk(const bpf_link& iterator, const std::string& what) {
  const UniqueFd visit(bpf_iter_create(bpf_link__fd(&iterator)));
  if (!visit.valid()) {
    const int reason = errno;
    return fail_errno(what + " could not be started", reason);
  }
  char nothing[64];  // the program writes to the ring, not to this file
  for (;;) {
    const ssize_t size = ::read(visit.get(), nothing, sizeof(nothing));
    if (size == 0) return {};
    if (size < 0 && errno != EINTR && errno != EAGAIN) {
      const int reason = errno;
      return fail_errno(what + " failed", reason);
    }
  }
}

UniqueFd open_pidfd(std::uint32_t tgid) {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(tgid), 0)));
}

std::vector<ProgramFigures> program_figures(const bpf_object& object) {
  std::vector<ProgramFigures> all;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, &object) {
    bpf_prog_info known{};
    std::uint32_t size = sizeof(known);
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &known, &size) != 0) continue;
    all.push_back({.name = known.name,
                   .id = known.id,
                   .verified_instructions = known.verified_insns,
                   .translated_bytes = known.xlated_prog_len,
                   .recursion_misses = known.recursion_misses});
  }
  return all;
}

}  // namespace exa::kernel
