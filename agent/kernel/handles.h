// Owners of libbpf's handles. Inside this room only.
#pragma once

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <memory>

namespace exa::kernel {

template <auto release>
struct Releaser {
  void operator()(auto* handle) const noexcept { release(handle); }
};
using BpfLink = std::unique_ptr<bpf_link, Releaser<bpf_link__destroy>>;
using Btf = std::unique_ptr<btf, Releaser<btf__free>>;

}  // namespace exa::kernel
