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

#include "agent/kernel/bpf_object.h"
#include "agent/kernel/capture_object.h"
#include "agent/kernel/handles.h"
#include "agent/kernel/rungs.h"
#include "exa/abi/config.h"
#include "exa/abi/event.h"
#include "exa/base/unique_fd.h"

namespace exa::kernel {
namespace {

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
constexpr std::uint32_t kMovedSockets = 16'384;
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
  std::unique_ptr<CaptureObject> rung;
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
  loaded->rung = row_of(features.rung)->open();
  if (!loaded->rung) return fail_with_reason("the BPF programs could not be opened", errno);
  CaptureObject& rung = *loaded->rung;
  const bpf_object& object = rung.object();
  configure(rung.config(), config);
  rung.tls_enabled() = config.tls ? 1 : 0;

  const auto autoload = [&](const char* program, bool wanted) {
    bpf_program__set_autoload(&program_of(object, program), wanted);
  };
  autoload("exa_data_ready", features.has(FeatureId::kArrival));
  autoload("exa_destroy", features.has(FeatureId::kSocketDestroy));
  autoload("exa_resend", features.has(FeatureId::kResend));
  autoload("exa_delivered", config.late_deliveries && features.has(FeatureId::kDelivered));
  const bool iterates = features.has(FeatureId::kSweep);
  rung.config().note_moved = iterates ? 0 : 1;
  autoload("exa_sweep", iterates);
  autoload("exa_sweep_moved", !iterates);
  for (const auto direction : {rung.received(), rung.sent()})
    for (const char* const spare : direction.subspan(1))
      autoload(spare, features.preempts_tracepoints);
  int status = bpf_map__set_max_entries(&map_of(object, "exa_control"), config.control_ring_bytes);
  if (status == 0 && !iterates)
    status = bpf_map__set_max_entries(&map_of(object, "exa_moved"), kMovedSockets);
  if (status != 0) return fail_with_reason("the BPF maps could not be sized", -status);

  status = rung.load();
  if (status != 0) return fail_with_reason("the kernel refused the BPF programs", -status);
  auto rings = make_event_rings(config, map_fd_of(object, "exa_events"));
  if (!rings) return std::unexpected(rings.error());
  loaded->event_rings = std::move(*rings);
  return CapturePrograms(std::move(loaded));
}

Result<> CapturePrograms::attach_processes() {
  if (!loaded_->links.empty()) return {};
  constexpr const char* kPrograms[] = {"exa_exit", "exa_exec"};
  return attach_in_order(kPrograms);
}

Result<> CapturePrograms::attach_in_order(std::span<const char* const> programs) {
  for (const char* const name : programs) {
    const bpf_program& program = program_of(object(), name);
    if (!bpf_program__autoload(&program)) continue;
    BpfLink link(bpf_program__attach(&program));
    if (!link)
      return fail_with_reason(std::string("BPF program ") + name + " could not be attached", errno);
    loaded_->links.push_back(std::move(link));
  }
  return {};
}

Result<> CapturePrograms::attach() {
  if (auto attached = attach_processes(); !attached) return attached;
  // The I/O programs last: whatever they begin, the others are there to end.
  constexpr const char* kEnds[] = {"exa_set_state", "exa_destroy", "exa_resend", "exa_delivered",
                                   "exa_data_ready"};
  const CaptureObject& rung = *loaded_->rung;
  for (const auto programs : {CaptureObject::Direction(kEnds), rung.received(), rung.sent()})
    if (auto attached = attach_in_order(programs); !attached) return attached;
  const bpf_program& sweep = program_of(object(), "exa_sweep");
  if (!bpf_program__autoload(&sweep)) return {};
  auto attached =
      attach_to_map(sweep, map_fd_of(object(), "exa_sockets"), "the iterator over socket storage");
  if (!attached) return std::unexpected(attached.error());
  loaded_->sweep = std::move(*attached);
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
  return map_fd_of(object(), "exa_control");
}
int CapturePrograms::counters_fd() const {
  return map_fd_of(object(), "exa_counters");
}

const bpf_object& CapturePrograms::object() const {
  return loaded_->rung->object();
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
  return fail_errno("cannot store whether a process is observed", reason);
}

Result<std::optional<OpenVerdict>> CapturePrograms::open_verdict(std::uint32_t tgid) const {
  const int map_fd = map_fd_of(object(), "exa_verdicts");
  OpenVerdict opened(open_pidfd(tgid), map_fd);
  if (!opened.process_.valid()) return std::nullopt;
  const int process = opened.process_.get();
  const exa_verdict unjudged{};
  // A verdict that is there already holds until the new one.
  if (bpf_map_update_elem(map_fd, &process, &unjudged, BPF_NOEXIST) == 0 || errno == EEXIST)
    return opened;
  if (errno == ENOENT) return std::nullopt;
  const int reason = errno;
  return fail_errno("cannot store whether a process is observed", reason);
}

Result<> CapturePrograms::exclude_for_good(std::uint32_t tgid) const {
  const UniqueFd pidfd = open_pidfd(tgid);
  const int process = pidfd.get();
  const exa_verdict value{.verdict = EXA_PROCESS_EXCLUDED, .through_exec = 1};
  if (process < 0 ||
      bpf_map_update_elem(map_fd_of(object(), "exa_verdicts"), &process, &value, BPF_ANY) != 0) {
    const int reason = errno;
    return fail_errno("the agent's process " + std::to_string(tgid) + " could not be excluded",
                      reason);
  }
  put_verdicts_in_force();
  return {};
}

void CapturePrograms::put_verdicts_in_force() const {
  std::atomic_ref(loaded_->rung->generation()).fetch_add(1, std::memory_order_release);
}

std::vector<NoisyProcess> CapturePrograms::noisy_processes() const {
  const int map_fd = map_fd_of(object(), "exa_noisy");
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
  if (loaded_->sweep) return walk(*loaded_->sweep, "the sweep over socket storage");
  const bpf_program& noted = program_of(object(), "exa_sweep_moved");
  if (loaded_->links.empty() || !bpf_program__autoload(&noted)) return {};
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  if (const int status = bpf_prog_test_run_opts(bpf_program__fd(&noted), &options); status != 0)
    return fail_errno("the sweep over marked sockets failed", -status);
  return {};
}

std::uint64_t CapturePrograms::skipped_calls() const {
  const CaptureObject& rung = *loaded_->rung;
  const auto last = [&](CaptureObject::Direction programs) -> std::string_view {
    return loaded_->features.preempts_tracepoints ? programs.back() : programs.front();
  };
  std::uint64_t sum = 0;
  for (const ProgramFigures& program : figures())
    if (program.name == last(rung.received()) || program.name == last(rung.sent()))
      sum += program.recursion_misses;
  return sum;
}

std::vector<ProgramFigures> CapturePrograms::figures() const {
  return program_figures(object());
}

}  // namespace exa::kernel
