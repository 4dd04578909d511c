#include "agent/kernel/mapping_iterator.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "agent/kernel/bpf_object.h"
#include "agent/kernel/handles.h"

#include "mappings.skel.h"

namespace exa::kernel {

struct MappingIterator::Loaded {
  std::unique_ptr<mappings_bpf, Releaser<mappings_bpf__destroy>> skeleton;
};

MappingIterator::MappingIterator(std::unique_ptr<Loaded> loaded) : loaded_(std::move(loaded)) {}
MappingIterator::MappingIterator(MappingIterator&&) noexcept = default;
MappingIterator& MappingIterator::operator=(MappingIterator&&) noexcept = default;
MappingIterator::~MappingIterator() = default;

Result<MappingIterator> MappingIterator::load() {
  auto loaded = std::make_unique<Loaded>();
  loaded->skeleton.reset(mappings_bpf__open_and_load());
  if (!loaded->skeleton)
    return fail_with_reason("the kernel refused the iterators over mapped files", errno);
  return MappingIterator(std::move(loaded));
}

Result<UniqueFd> MappingIterator::code_of(std::uint32_t tgid) const {
  return over(loaded_->skeleton->progs.exa_mapped_code, tgid);
}

Result<UniqueFd> MappingIterator::all_of(std::uint32_t tgid) const {
  return over(loaded_->skeleton->progs.exa_mapped_all, tgid);
}

Result<UniqueFd> MappingIterator::published_by(std::uint32_t tgid) const {
  return over(loaded_->skeleton->progs.exa_published, tgid);
}

std::set<std::uint32_t> MappingIterator::locked() const {
  std::set<std::uint32_t> processes;
  const auto told = over(loaded_->skeleton->progs.exa_locked_memory, 0);
  if (!told) return processes;
  std::array<std::uint32_t, 256> part{};
  for (ssize_t got = 0; (got = ::read(told->get(), part.data(), sizeof(part))) > 0;)
    for (std::size_t i = 0; i < static_cast<std::size_t>(got) / sizeof(part[0]); ++i)
      processes.insert(part.at(i));
  return processes;
}

Result<UniqueFd> MappingIterator::over(const bpf_program* program, std::uint32_t tgid) {
  bpf_iter_link_info target{};
  target.task.pid = tgid;
  bpf_iter_attach_opts options{};
  options.sz = sizeof(options);
  if (tgid != 0) {
    options.link_info = &target;
    options.link_info_len = sizeof(target);
  }
  const BpfLink link(bpf_program__attach_iter(program, &options));
  if (!link) return fail_errno("the mapped files of a process cannot be listed", errno);
  UniqueFd told(bpf_iter_create(bpf_link__fd(link.get())));
  if (!told.valid()) return fail_errno("the mapped files of a process cannot be listed", errno);
  return told;
}

}  // namespace exa::kernel
