// Sums the per-CPU counters of the BPF programs, from a descriptor that may be inherited.
// Any one thread. Owned by whoever publishes self metrics.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "exa/abi/counters.h"
#include "exa/base/result.h"

namespace exa::kernel {

using KernelCounterValues = std::array<std::uint64_t, EXA_COUNTER_COUNT>;  // by exa_kernel_counter

// name, group, reason and sentence of the row, for metrics.
struct KernelCounterText {
  const char* name;
  const char* group;
  const char* reason;
  const char* sentence;
};
const std::array<KernelCounterText, EXA_COUNTER_COUNT>& kernel_counter_texts();

class KernelCounters {
 public:
  // The descriptor is borrowed. Reads the number of CPUs, so open it before privileges go.
  static Result<KernelCounters> open(int counters_fd);
  Result<KernelCounterValues> read();

 private:
  KernelCounters(int fd, std::size_t cpus) : fd_(fd), values_(cpus * EXA_COUNTER_COUNT) {}
  int fd_;
  std::vector<std::uint64_t> values_;
};

}  // namespace exa::kernel
