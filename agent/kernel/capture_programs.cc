#include "agent/kernel/capture_programs.h"

#include <bpf/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

#include "agent/kernel/handles.h"
#include "agent/kernel/loading.h"
#include "exa/abi/config.h"
#include "exa/abi/event.h"
#include "exa/base/unique_fd.h"

// The skeleton needs the contract's types above it.
#include "capture.skel.h"

namespace exa::kernel {
namespace {

using Skeleton = std::unique_ptr<capture_bpf, Releaser<capture_bpf__destroy>>;

Result<> check(const CaptureConfig& config) {
  const auto pages = [](std::uint32_t bytes) {
    return bytes >= static_cast<std::uint32_t>(::sysconf(_SC_PAGESIZE)) &&
           (bytes & (bytes - 1)) == 0;
  };
  if (!pages(config.event_ring_bytes) || !pages(config.control_ring_bytes))
    return fail("the size of a ring buffer must be a power of two and at least one page");
  if (config.event_rings == 0 || config.event_rings > EXA_MAX_EVENT_RINGS ||
      !std::has_single_bit(config.event_rings) ||
      !pages(config.event_ring_bytes / config.event_rings))
    return fail("the number of data rings must be a power of two up to " +
                std::to_string(EXA_MAX_EVENT_RINGS) + ", and each at least one page");
  if (config.capture_budget_bytes < 8 || config.capture_budget_bytes > EXA_MAX_CAPTURE_BYTES)
    return fail("the capture budget must be between 8 and " +
                std::to_string(EXA_MAX_CAPTURE_BYTES) + " bytes");
  if (config.included_ports.size() > EXA_MAX_PORTS || config.excluded_ports.size() > EXA_MAX_PORTS)
    return fail("at most " + std::to_string(EXA_MAX_PORTS) +
                " ports can be included and as many excluded");
  return {};
}

constexpr std::size_t kMaxNoisy = 256;
static_assert(static_cast<int>(Verdict::kUnjudged) == EXA_PROCESS_UNJUDGED &&
              static_cast<int>(Verdict::kObserved) == EXA_PROCESS_OBSERVED &&
              static_cast<int>(Verdict::kExcluded) == EXA_PROCESS_EXCLUDED);

Result<std::vector<UniqueFd>> make_event_rings(const CaptureConfig& config, int array_fd) {
  std::vector<UniqueFd> rings;
  for (std::uint32_t slot = 0; slot < config.event_rings; ++slot) {
    rings.emplace_back(bpf_map_create(BPF_MAP_TYPE_RINGBUF, "exa_event_ring", 0, 0,
                                      config.event_ring_bytes / config.event_rings, nullptr));
    const int fd = rings.back().get();
    if (fd < 0 || bpf_map_update_elem(array_fd, &slot, &fd, BPF_ANY) != 0)
      return fail_with_reason("a data ring could not be made", errno);
  }
  return rings;
}

}  // namespace

std::uint32_t suggested_event_rings() {
  const int cpus = std::max(1, libbpf_num_possible_cpus());
  return std::min<std::uint32_t>(EXA_MAX_EVENT_RINGS, std::bit_ceil(static_cast<unsigned>(cpus)));
}

struct CapturePrograms::Loaded {
  KernelFeatures features;
  Skeleton skeleton;
  std::vector<UniqueFd> event_rings;
  std::vector<BpfLink> links;
  BpfLink sweep;
};

CapturePrograms::CapturePrograms(std::unique_ptr<Loaded> loaded) : loaded_(std::move(loaded)) {}
CapturePrograms::CapturePrograms(CapturePrograms&&) noexcept = default;
CapturePrograms& CapturePrograms::operator=(CapturePrograms&&) noexcept = default;
CapturePrograms::~CapturePrograms() = default;

Result<CapturePrograms> CapturePrograms::load(const CaptureConfig& config,
                                              const KernelFeatures& features) {
  if (auto valid = check(config); !valid) return std::unexpected(valid.error());
  if (!features.can_run()) return fail(features.refusal());

  auto loaded = std::make_unique<Loaded>();
  loaded->features = features;
  loaded->skeleton.reset(capture_bpf__open());
  if (!loaded->skeleton) return fail_with_reason("the BPF programs could not be opened", errno);
  capture_bpf& skeleton = *loaded->skeleton;
  configure(const_cast<exa_capture_config&>(skeleton.rodata->exa_config), config);
  const_cast<std::uint32_t&>(skeleton.rodata->exa_tls_enabled) = config.tls ? 1 : 0;

  bpf_program__set_autoload(skeleton.progs.exa_data_ready, features.has(FeatureId::kArrival));
  bpf_program__set_autoload(skeleton.progs.exa_destroy, features.has(FeatureId::kSocketDestroy));
  bpf_program__set_autoload(skeleton.progs.exa_sweep, features.has(FeatureId::kSweep));
  for (bpf_program* spare : {skeleton.progs.exa_sock_send_2, skeleton.progs.exa_sock_send_3,
                             skeleton.progs.exa_sock_recv_2, skeleton.progs.exa_sock_recv_3})
    bpf_program__set_autoload(spare, features.preempts_tracepoints);
  int status = bpf_map__set_max_entries(skeleton.maps.exa_control, config.control_ring_bytes);
  if (status != 0) return fail_with_reason("the BPF maps could not be sized", -status);

  status = capture_bpf__load(&skeleton);
  if (status != 0) return fail_with_reason("the kernel refused the BPF programs", -status);
  auto rings = make_event_rings(config, bpf_map__fd(skeleton.maps.exa_events));
  if (!rings) return std::unexpected(rings.error());
  loaded->event_rings = std::move(*rings);
  return CapturePrograms(std::move(loaded));
}

Result<> CapturePrograms::attach_processes() {
  capture_bpf& skeleton = *loaded_->skeleton;
  if (!loaded_->links.empty()) return {};
  return attach_in_order({skeleton.progs.exa_exit, skeleton.progs.exa_exec});
}

Result<> CapturePrograms::attach_in_order(std::initializer_list<bpf_program*> programs) {
  for (bpf_program* program : programs) {
    if (!bpf_program__autoload(program)) continue;
    BpfLink link(bpf_program__attach(program));
    if (!link)
      return fail_with_reason(
          std::string("BPF program ") + bpf_program__name(program) + " could not be attached",
          errno);
    loaded_->links.push_back(std::move(link));
  }
  return {};
}

Result<> CapturePrograms::attach() {
  capture_bpf& skeleton = *loaded_->skeleton;
  if (auto attached = attach_processes(); !attached) return attached;
  // The I/O programs last: whatever they begin, the others are there to end.
  if (auto attached = attach_in_order(
          {skeleton.progs.exa_set_state, skeleton.progs.exa_destroy, skeleton.progs.exa_data_ready,
           skeleton.progs.exa_sock_recv, skeleton.progs.exa_sock_recv_2,
           skeleton.progs.exa_sock_recv_3, skeleton.progs.exa_sock_send,
           skeleton.progs.exa_sock_send_2, skeleton.progs.exa_sock_send_3});
      !attached)
    return attached;
  if (bpf_program__autoload(skeleton.progs.exa_sweep)) {
    bpf_iter_link_info target{};
    target.map.map_fd = static_cast<std::uint32_t>(bpf_map__fd(skeleton.maps.exa_sockets));
    bpf_iter_attach_opts options{};
    options.sz = sizeof(options);
    options.link_info = &target;
    options.link_info_len = sizeof(target);
    loaded_->sweep.reset(bpf_program__attach_iter(skeleton.progs.exa_sweep, &options));
    if (!loaded_->sweep)
      return fail_with_reason("the iterator over socket storage could not be attached", errno);
  }
  return {};
}

void CapturePrograms::detach() {
  loaded_->sweep.reset();
  while (!loaded_->links.empty())
    loaded_->links.pop_back();
}

std::vector<int> CapturePrograms::event_ring_fds() const {
  std::vector<int> fds;
  for (const UniqueFd& ring : loaded_->event_rings)
    fds.push_back(ring.get());
  return fds;
}
int CapturePrograms::control_ring_fd() const {
  return bpf_map__fd(loaded_->skeleton->maps.exa_control);
}
int CapturePrograms::counters_fd() const {
  return bpf_map__fd(loaded_->skeleton->maps.exa_counters);
}

SharedMaps CapturePrograms::shared_maps() const {
  const auto& maps = loaded_->skeleton->maps;
  return {.events = bpf_map__fd(maps.exa_events),
          .control = bpf_map__fd(maps.exa_control),
          .counters = bpf_map__fd(maps.exa_counters),
          .processes = bpf_map__fd(maps.exa_processes),
          .verdicts = bpf_map__fd(maps.exa_verdicts),
          .noisy = bpf_map__fd(maps.exa_noisy),
          .kinds = bpf_map__fd(maps.exa_kinds),
          .tls_streams = bpf_map__fd(maps.exa_tls_streams),
          .tls_threads = bpf_map__fd(maps.exa_tls_threads),
          .tls_goroutines = bpf_map__fd(maps.exa_tls_gos),
          .tls_remnants = bpf_map__fd(maps.exa_tls_remnants),
          .tls_held = bpf_map__fd(maps.exa_tls_held),
          .tls_dull = bpf_map__fd(maps.exa_tls_dull)};
}

const KernelFeatures& CapturePrograms::features() const {
  return loaded_->features;
}

Result<bool> OpenVerdict::enter(Verdict verdict) const {
  const exa_verdict value{.verdict = static_cast<std::uint32_t>(verdict), .through_exec = 0};
  const int process = process_.get();
  if (bpf_map_update_elem(map_fd_, &process, &value, BPF_EXIST) == 0) return true;
  const int reason = errno;
  if (reason == ENOENT) return false;
  return fail_errno("a verdict about a process could not be entered", reason);
}

Result<std::optional<OpenVerdict>> CapturePrograms::open_verdict(std::uint32_t tgid) const {
  const int map_fd = bpf_map__fd(loaded_->skeleton->maps.exa_verdicts);
  OpenVerdict opened(open_pidfd(tgid), map_fd);
  if (!opened.process_.valid()) return std::nullopt;
  const int process = opened.process_.get();
  const exa_verdict unjudged{};
  // A verdict that is there already holds until the new one.
  if (bpf_map_update_elem(map_fd, &process, &unjudged, BPF_NOEXIST) == 0 || errno == EEXIST)
    return opened;
  if (errno == ENOENT) return std::nullopt;
  const int reason = errno;
  return fail_errno("no verdict about a process can be entered", reason);
}

Result<> CapturePrograms::exclude_for_good(std::uint32_t tgid) const {
  const UniqueFd pidfd = open_pidfd(tgid);
  const int process = pidfd.get();
  const exa_verdict value{.verdict = EXA_PROCESS_EXCLUDED, .through_exec = 1};
  if (process < 0 || bpf_map_update_elem(bpf_map__fd(loaded_->skeleton->maps.exa_verdicts),
                                         &process, &value, BPF_ANY) != 0) {
    const int reason = errno;
    return fail_errno("the agent's process " + std::to_string(tgid) + " could not be excluded",
                      reason);
  }
  put_verdicts_in_force();
  return {};
}

void CapturePrograms::put_verdicts_in_force() const {
  std::atomic_ref(const_cast<std::uint32_t&>(loaded_->skeleton->data->exa_generation))
      .fetch_add(1, std::memory_order_release);
}

std::vector<NoisyProcess> CapturePrograms::noisy_processes() const {
  const int map_fd = bpf_map__fd(loaded_->skeleton->maps.exa_noisy);
  std::vector<NoisyProcess> all;
  std::uint32_t tgid = 0;
  // The oldest make room for new ones meanwhile, so the end is bounded apart.
  for (const std::uint32_t* from = nullptr;
       all.size() < kMaxNoisy && bpf_map_get_next_key(map_fd, from, &tgid) == 0; from = &tgid) {
    exa_noisy_process noisy{};
    if (bpf_map_lookup_elem(map_fd, &tgid, &noisy) != 0) break;
    const auto* const comm = reinterpret_cast<const char*>(noisy.comm);
    all.push_back({.tgid = tgid,
                   .comm = std::string(comm, ::strnlen(comm, sizeof(noisy.comm))),
                   .refused_chunks = noisy.refused[EXA_REFUSED_CHUNK],
                   .refused_tls_calls = noisy.refused[EXA_REFUSED_STREAM]});
  }
  return all;
}

Result<> CapturePrograms::sweep() {
  if (!loaded_->sweep) return {};
  return walk(*loaded_->sweep, "the sweep over socket storage");
}

std::uint64_t CapturePrograms::skipped_calls() const {
  const bool spares = loaded_->features.preempts_tracepoints;
  std::uint64_t sum = 0;
  for (const ProgramFigures& program : figures())
    if (program.name == (spares ? "exa_sock_send_3" : "exa_sock_send") ||
        program.name == (spares ? "exa_sock_recv_3" : "exa_sock_recv"))
      sum += program.recursion_misses;
  return sum;
}

std::vector<ProgramFigures> CapturePrograms::figures() const {
  return program_figures(*loaded_->skeleton->obj);
}

}  // namespace exa::kernel
