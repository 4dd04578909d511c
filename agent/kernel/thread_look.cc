#include "agent/kernel/thread_look.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "agent/kernel/bpf_object.h"
#include "agent/kernel/handles.h"
#include "exa/abi/config.h"
#include "exa/abi/sleep.h"

// The skeleton needs the contract's types above it.
#include "look.skel.h"

namespace exa::kernel {

struct ThreadLook::Loaded {
  std::unique_ptr<look_bpf, Releaser<look_bpf__destroy>> skeleton;
};

ThreadLook::ThreadLook(std::unique_ptr<Loaded> loaded) : loaded_(std::move(loaded)) {}
ThreadLook::ThreadLook(ThreadLook&&) noexcept = default;
ThreadLook& ThreadLook::operator=(ThreadLook&&) noexcept = default;
ThreadLook::~ThreadLook() = default;

Result<ThreadLook> ThreadLook::load(const CapturePrograms& capture, const CaptureConfig& config) {
  auto loaded = std::make_unique<Loaded>();
  loaded->skeleton.reset(look_bpf__open());
  if (!loaded->skeleton)
    return fail_with_reason("the program that looks at threads could not be opened", errno);
  auto& skeleton = *loaded->skeleton;
  configure(const_cast<exa_capture_config&>(skeleton.rodata->exa_config), config);
  if (auto shared = share_maps(*skeleton.obj, capture.object()); !shared)
    return std::unexpected(shared.error());
  if (const int status = look_bpf__load(&skeleton); status != 0)
    return fail_with_reason("the kernel refused the program that looks at threads", -status);
  return ThreadLook(std::move(loaded));
}

static_assert(ThreadLook::kMost == EXA_MOST_LOOKED_AT);
Result<> ThreadLook::at(std::span<const std::uint32_t> threads) const {
  exa_look_list list{};
  std::copy_n(threads.begin(), std::min(threads.size(), kMost), list.thread);
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.ctx_in = &list;
  options.ctx_size_in = sizeof(list);
  if (const int status =
          bpf_prog_test_run_opts(bpf_program__fd(loaded_->skeleton->progs.exa_look), &options);
      status != 0)
    return fail_errno("what threads do could not be looked up", -status);
  return {};
}

std::vector<ProgramFigures> ThreadLook::figures() const {
  return program_figures(*loaded_->skeleton->obj);
}

}  // namespace exa::kernel
