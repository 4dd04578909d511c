#include "agent/kernel/tls_programs.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "agent/kernel/handles.h"
#include "agent/kernel/loading.h"
#include "exa/abi/config.h"
#include "exa/abi/tls.h"

// The skeleton needs the contract's types above it.
#include "tls.skel.h"

namespace exa::kernel {
namespace {

using Skeleton = std::unique_ptr<tls_bpf, Releaser<tls_bpf__destroy>>;
constexpr auto kUprobeMulti = static_cast<bpf_attach_type>(48);  // BPF_TRACE_UPROBE_MULTI

static_assert(static_cast<int>(TlsProbeKind::kHandshake) == EXA_TLS_PROBE_HANDSHAKE &&
              static_cast<int>(TlsProbeKind::kWrite) == EXA_TLS_PROBE_WRITE &&
              static_cast<int>(TlsProbeKind::kRead) == EXA_TLS_PROBE_READ &&
              static_cast<int>(TlsProbeKind::kReadReturn) == EXA_TLS_PROBE_READ_RETURN &&
              static_cast<int>(TlsProbeKind::kFree) == EXA_TLS_PROBE_FREE &&
              static_cast<int>(TlsProbeKind::kBegin) == EXA_TLS_PROBE_BEGIN);
static_assert(static_cast<int>(TlsShape::kSized) == EXA_TLS_SHAPE_SIZED &&
              static_cast<int>(TlsShape::kPointer) == EXA_TLS_SHAPE_POINTER &&
              static_cast<int>(TlsShape::kGo) == EXA_TLS_SHAPE_GO &&
              static_cast<int>(TlsShape::kInner) == EXA_TLS_SHAPE_INNER);

Result<Skeleton> open_and_load(const SharedMaps& shared, const CaptureConfig& config) {
  Skeleton skeleton(tls_bpf__open());
  if (!skeleton) return fail_with_reason("the TLS programs could not be opened", errno);
  configure(const_cast<exa_capture_config&>(skeleton->rodata->exa_config), config);
  for (bpf_program* program : {skeleton->progs.exa_tls_enter, skeleton->progs.exa_tls_leave})
    bpf_program__set_expected_attach_type(program, kUprobeMulti);

  const std::pair<bpf_map*, int> same[] = {
      {skeleton->maps.exa_events, shared.events},
      {skeleton->maps.exa_control, shared.control},
      {skeleton->maps.exa_counters, shared.counters},
      {skeleton->maps.exa_processes, shared.processes},
      {skeleton->maps.exa_verdicts, shared.verdicts},
      {skeleton->maps.exa_noisy, shared.noisy},
      {skeleton->maps.exa_tls_streams, shared.tls_streams},
      {skeleton->maps.exa_tls_threads, shared.tls_threads},
      {skeleton->maps.exa_tls_gos, shared.tls_goroutines},
      {skeleton->maps.exa_tls_remnants, shared.tls_remnants},
  };
  for (const auto& [map, fd] : same)
    if (const int status = bpf_map__reuse_fd(map, fd); status != 0)
      return fail_with_reason("a map could not be shared with the TLS programs", -status);
  if (const int status = tls_bpf__load(skeleton.get()); status != 0)
    return fail_with_reason("the kernel refused the TLS programs", -status);
  return skeleton;
}

}  // namespace

struct TlsPrograms::Loaded {
  Skeleton skeleton;
  BpfLink sweep;
  UniqueFd dull;  // duplicates: the maps outlive the capture programs' object
  UniqueFd streams;
  UniqueFd verdicts;
};

TlsPrograms::TlsPrograms(std::unique_ptr<Loaded> loaded) : loaded_(std::move(loaded)) {}
TlsPrograms::TlsPrograms(TlsPrograms&&) noexcept = default;
TlsPrograms& TlsPrograms::operator=(TlsPrograms&&) noexcept = default;
TlsPrograms::~TlsPrograms() = default;

Result<TlsPrograms> TlsPrograms::load(const CapturePrograms& capture, const CaptureConfig& config) {
  if (!capture.features().has(FeatureId::kProbeGuard))
    return fail(
        "this kernel can neither keep programs on probes from being preempted nor give "
        "each its own stack; it could crash");
  const SharedMaps shared = capture.shared_maps();
  auto loaded = std::make_unique<Loaded>();
  auto skeleton = open_and_load(shared, config);
  if (!skeleton) return std::unexpected(skeleton.error());
  if (!has_uprobe_multi(bpf_program__fd((*skeleton)->progs.exa_tls_enter)))
    return fail("this kernel has no uprobe_multi links (Linux 6.6 and newer have them)");
  loaded->skeleton = std::move(*skeleton);
  loaded->dull.reset(::dup(shared.tls_dull));
  loaded->streams.reset(::dup(shared.tls_streams));
  loaded->verdicts.reset(::dup(shared.verdicts));

  bpf_iter_link_info target{};
  target.map.map_fd = static_cast<std::uint32_t>(shared.tls_streams);
  bpf_iter_attach_opts options{};
  options.sz = sizeof(options);
  options.link_info = &target;
  options.link_info_len = sizeof(target);
  loaded->sweep.reset(bpf_program__attach_iter(loaded->skeleton->progs.exa_tls_sweep, &options));
  if (!loaded->sweep)
    return fail_with_reason("the iterator over TLS streams could not be attached", errno);
  return TlsPrograms(std::move(loaded));
}

Result<TlsPrograms::Attachment> TlsPrograms::attach(int file_fd,
                                                    std::span<const TlsProbe> probes) const {
  Attachment attachment;
  // Returns first, so that whatever begins can end.
  for (const UprobePoint point : {UprobePoint::kReturn, UprobePoint::kEntry}) {
    std::vector<UprobeSite> sites;
    for (const TlsProbe& probe : probes)
      if (probe.point == point)
        sites.push_back({probe.file_offset, static_cast<std::uint64_t>(probe.kind) << 8 |
                                                static_cast<std::uint64_t>(probe.shape)});
    if (sites.empty()) continue;
    const bpf_program* const program = point == UprobePoint::kReturn
                                           ? loaded_->skeleton->progs.exa_tls_leave
                                           : loaded_->skeleton->progs.exa_tls_enter;
    auto link = UprobeLink::attach(bpf_program__fd(program), file_fd, point, sites);
    if (!link) return std::unexpected(link.error());
    attachment.links_.push_back(std::move(*link));
    attachment.probes_ += sites.size();
  }
  return attachment;
}

Result<> TlsPrograms::sweep() {
  return walk(*loaded_->sweep, "the sweep over TLS streams");
}

void TlsPrograms::mark_dull(std::uint32_t device, std::uint64_t inode) const {
  const exa_tls_file file{.inode = inode, .device = device, .reserved = 0};
  const std::uint32_t known = 1;
  (void)bpf_map_update_elem(loaded_->dull.get(), &file, &known, BPF_ANY);
}

bool TlsPrograms::is_excluded(std::uint32_t tgid) const {
  const UniqueFd pidfd = open_pidfd(tgid);
  const int process = pidfd.get();
  exa_verdict verdict{};
  return process >= 0 && bpf_map_lookup_elem(loaded_->verdicts.get(), &process, &verdict) == 0 &&
         verdict.verdict == EXA_PROCESS_EXCLUDED;
}

void TlsPrograms::forget(const std::function<bool(std::uint32_t)>& is_gone) const {
  std::vector<exa_tls_key> gone;
  exa_tls_key key{};
  exa_tls_key next{};
  const exa_tls_key* from = nullptr;
  std::uint32_t asked = 0;
  bool answer = false;
  while (bpf_map_get_next_key(loaded_->streams.get(), from, &next) == 0) {
    if (next.tgid != asked || !from) {
      asked = next.tgid;
      answer = is_gone(asked);
    }
    if (answer) gone.push_back(next);
    key = next;
    from = &key;
  }
  for (const exa_tls_key& stream : gone)
    (void)bpf_map_delete_elem(loaded_->streams.get(), &stream);
}

std::vector<ProgramFigures> TlsPrograms::figures() const {
  return program_figures(*loaded_->skeleton->obj);
}

}  // namespace exa::kernel
