#include "agent/kernel/kernel_counters.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>

namespace exa::kernel {

const std::array<KernelCounterText, EXA_COUNTER_COUNT>& kernel_counter_texts() {
  static constexpr std::array<KernelCounterText, EXA_COUNTER_COUNT> kTexts{{
#define EXA_X(name, kind, group, reason, sentence) {#name, #group, #reason, sentence},
      EXA_KERNEL_COUNTERS(EXA_X)
#undef EXA_X
  }};
  return kTexts;
}

Result<KernelCounters> KernelCounters::open(int counters_fd) {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus <= 0) return fail_errno("the number of CPUs could not be read", -cpus);
  return KernelCounters(counters_fd, static_cast<std::size_t>(cpus));
}

Result<KernelCounterValues> KernelCounters::read() {
  KernelCounterValues sums{};
  for (std::uint32_t row = 0; row < EXA_COUNTER_ROWS; ++row) {
    if (bpf_map_lookup_elem(fd_, &row, values_.data()) != 0) {
      const int reason = errno;
      return fail_errno("the kernel counters could not be read", reason);
    }
    for (std::size_t i = 0; i < values_.size(); ++i)
      sums[i % EXA_COUNTER_COUNT] += values_[i];
  }
  return sums;
}

}  // namespace exa::kernel
