#include "agent/kernel/tls_programs.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <utility>

#include "agent/kernel/bpf_object.h"
#include "agent/kernel/connection_counts.h"
#include "agent/kernel/handles.h"
#include "exa/abi/config.h"
#include "exa/abi/tls.h"

// The skeleton needs the contract's types above it.
#include "tls.skel.h"

namespace exa::kernel {
namespace {

using Skeleton = std::unique_ptr<tls_bpf, Releaser<tls_bpf__destroy>>;
using Maps = decltype(tls_bpf::maps);
constexpr auto kUprobeMulti = static_cast<bpf_attach_type>(48);  // BPF_TRACE_UPROBE_MULTI

Result<Skeleton> open_and_load(const bpf_object& capture, const CaptureConfig& config) {
  Skeleton skeleton(tls_bpf__open());
  if (!skeleton) return fail_with_reason("the TLS programs could not be opened", errno);
  configure(const_cast<exa_capture_config&>(skeleton->rodata->exa_config), config);
  bpf_program__set_expected_attach_type(skeleton->progs.exa_tls_enter, kUprobeMulti);
  bpf_program__set_expected_attach_type(skeleton->progs.exa_table_enter, kUprobeMulti);

  if (auto shared = share_maps(*skeleton->obj, capture); !shared)
    return std::unexpected(shared.error());
  if (const int status = tls_bpf__load(skeleton.get()); status != 0)
    return fail_with_reason("the kernel refused the TLS programs", -status);
  return skeleton;
}

std::vector<UprobeSite> sites_of(std::span<const TlsProbe> probes) {
  std::vector<UprobeSite> sites;
  for (const TlsProbe& probe : probes)
    sites.push_back({probe.file_offset, static_cast<std::uint64_t>(probe.kind) << 8 |
                                            static_cast<std::uint64_t>(probe.shape)});
  return sites;
}

}  // namespace

struct TlsPrograms::Loaded {
  Skeleton skeleton;
  BpfLink sweep;

  // Of a map of the socket programs too: the descriptor is of this object.
  [[nodiscard]] int fd(bpf_map* Maps::* map) const { return bpf_map__fd(skeleton->maps.*map); }
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
  auto loaded = std::make_unique<Loaded>();
  auto skeleton = open_and_load(capture.object(), config);
  if (!skeleton) return std::unexpected(skeleton.error());
  if (!has_uprobe_multi(bpf_program__fd((*skeleton)->progs.exa_tls_enter)))
    return fail("this kernel has no uprobe_multi links (Linux 6.6 and newer have them)");
  loaded->skeleton = std::move(*skeleton);
  auto sweep = attach_to_map(*loaded->skeleton->progs.exa_tls_sweep,
                             loaded->fd(&Maps::exa_tls_streams), "the iterator over TLS streams");
  if (!sweep) return std::unexpected(sweep.error());
  loaded->sweep = std::move(*sweep);
  return TlsPrograms(std::move(loaded));
}

Result<TlsPrograms::Attachment> TlsPrograms::attach(int file_fd,
                                                    std::span<const TlsProbe> probes) const {
  const int program_fd = bpf_program__fd(loaded_->skeleton->progs.exa_tls_enter);
  auto link = UprobeLink::attach(program_fd, file_fd, sites_of(probes));
  if (!link) return std::unexpected(link.error());
  Attachment attachment;
  attachment.link_ = std::move(*link);
  attachment.probes_ = probes.size();
  return attachment;
}

Result<> TlsPrograms::tell_tables(Attachment& attachment, int file_fd,
                                  std::span<const TlsProbe> probes) const {
  const int program_fd = bpf_program__fd(loaded_->skeleton->progs.exa_table_enter);
  auto link = UprobeLink::attach(program_fd, file_fd, sites_of(probes));
  if (!link) return std::unexpected(link.error());
  attachment.tables_ = std::move(*link);
  return {};
}

// Going through an empty map takes as long as through a full one. The count may be a little off
// until forget() puts it right: a stream is then told with a later sweep.
Result<> TlsPrograms::sweep() {
  const std::uint32_t all = EXA_TLS_ALL;
  exa_tls_held held{};
  if (bpf_map_lookup_elem(loaded_->fd(&Maps::exa_tls_held), &all, &held) != 0 ||
      held.count[EXA_TLS_STREAMS] == 0)
    return {};
  return walk(*loaded_->sweep, "the sweep over TLS streams");
}

void TlsPrograms::mark_dull(std::uint32_t device, std::uint64_t inode) const {
  const exa_tls_file file{.inode = inode, .device = device, .reserved = 0};
  const std::uint32_t known = 1;
  (void)bpf_map_update_elem(loaded_->fd(&Maps::exa_tls_dull), &file, &known, BPF_ANY);
}

bool TlsPrograms::is_excluded(std::uint32_t tgid) const {
  const UniqueFd pidfd = open_pidfd(tgid);
  const int process = pidfd.get();
  exa_verdict verdict{};
  return process >= 0 &&
         bpf_map_lookup_elem(loaded_->fd(&Maps::exa_verdicts), &process, &verdict) == 0 &&
         verdict.verdict == EXA_PROCESS_EXCLUDED;
}

std::map<std::uint32_t, exa_connection_counts> TlsPrograms::connections() const {
  return read_connection_counts(loaded_->fd(&Maps::exa_kinds));
}

namespace {

using HeldByProcess = std::map<std::uint32_t, exa_tls_held>;

// Deletes the entries of processes that are gone, and counts those of the others. In batches: a
// walk from key to key begins anew where a key is gone meanwhile, and would count twice. False if
// the walk did not come to the end.
bool forget_in(const bpf_map& map, exa_tls_share what,
               const std::function<bool(std::uint32_t)>& is_gone, HeldByProcess& held) {
  constexpr std::uint32_t kBatch = 512;
  const int map_fd = bpf_map__fd(&map);
  std::vector<exa_tls_key> keys(kBatch);
  std::vector<std::byte> values(kBatch * std::size_t{bpf_map__value_size(&map)});
  std::uint32_t place = 0;
  std::uint32_t asked = 0;
  bool gone = false;
  for (bool first = true, last = false; !last; first = false) {
    std::uint32_t count = kBatch;
    const int status = bpf_map_lookup_batch(map_fd, first ? nullptr : &place, &place, keys.data(),
                                            values.data(), &count, nullptr);
    if (status != 0 && status != -ENOENT) return false;
    last = status != 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto& key = keys[i];
      if (key.tgid != std::exchange(asked, key.tgid)) gone = is_gone(key.tgid);
      if (gone) {
        (void)bpf_map_delete_elem(map_fd, &key);
      } else {
        ++held[key.tgid].count[what];
        ++held[EXA_TLS_ALL].count[what];
      }
    }
  }
  return true;
}

}  // namespace

void TlsPrograms::forget(const std::function<bool(std::uint32_t)>& is_gone) const {
  HeldByProcess held{{EXA_TLS_ALL, {}}};
  const auto& maps = loaded_->skeleton->maps;
  const int held_fd = loaded_->fd(&Maps::exa_tls_held);
  if (!forget_in(*maps.exa_tls_streams, EXA_TLS_STREAMS, is_gone, held) ||
      !forget_in(*maps.exa_tls_gos, EXA_TLS_GOROUTINES, is_gone, held))
    return;
  std::vector<std::uint32_t> known;
  std::uint32_t tgid = 0;
  for (const std::uint32_t* from = nullptr;
       known.size() < EXA_TLS_ENTRIES && bpf_map_get_next_key(held_fd, from, &tgid) == 0;
       from = &known.back())
    known.push_back(tgid);
  for (const auto one : known)
    if (!held.contains(one)) (void)bpf_map_delete_elem(held_fd, &one);
  for (const auto& [process, count] : held)
    (void)bpf_map_update_elem(held_fd, &process, &count, BPF_ANY);
}

std::vector<ProgramFigures> TlsPrograms::figures() const {
  return program_figures(*loaded_->skeleton->obj);
}

}  // namespace exa::kernel
