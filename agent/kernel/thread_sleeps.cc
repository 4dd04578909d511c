#include "agent/kernel/thread_sleeps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#include "agent/kernel/bpf_object.h"
#include "agent/kernel/handles.h"

// The skeleton needs the contract's types above it.
#include "sleeps.skel.h"

namespace exa::kernel {

struct ThreadSleeps::Loaded {
  std::unique_ptr<sleeps_bpf, Releaser<sleeps_bpf__destroy>> skeleton;
  BpfLink link;
};

ThreadSleeps::ThreadSleeps(std::unique_ptr<Loaded> loaded) : loaded_(std::move(loaded)) {}
ThreadSleeps::ThreadSleeps(ThreadSleeps&&) noexcept = default;
ThreadSleeps& ThreadSleeps::operator=(ThreadSleeps&&) noexcept = default;
ThreadSleeps::~ThreadSleeps() = default;

Result<ThreadSleeps> ThreadSleeps::follow(const CapturePrograms& capture) {
  auto loaded = std::make_unique<Loaded>();
  loaded->skeleton.reset(sleeps_bpf__open());
  if (!loaded->skeleton)
    return fail_with_reason("the program that follows sleeps could not be opened", errno);
  auto& skeleton = *loaded->skeleton;
  if (auto shared = share_maps(*skeleton.obj, capture.object()); !shared)
    return std::unexpected(shared.error());
  if (const int status = sleeps_bpf__load(&skeleton); status != 0)
    return fail_with_reason("the kernel refused the program that follows sleeps", -status);
  loaded->link = BpfLink(bpf_program__attach(skeleton.progs.exa_cpu_switch));
  if (!loaded->link)
    return fail_with_reason("the program that follows sleeps could not be attached", errno);
  const std::uint32_t first = 0;
  const std::uint32_t following = 1;
  if (bpf_map_update_elem(map_fd_of(*skeleton.obj, "exa_following"), &first, &following, BPF_ANY) !=
      0)
    return fail_with_reason("the programs could not be told to follow sleeps", errno);
  return ThreadSleeps(std::move(loaded));
}

std::vector<ProgramFigures> ThreadSleeps::figures() const {
  return program_figures(*loaded_->skeleton->obj);
}

}  // namespace exa::kernel
