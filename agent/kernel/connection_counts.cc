#include "agent/kernel/connection_counts.h"

#include <bpf/bpf.h>

namespace exa::kernel {

std::map<std::uint32_t, exa_connection_counts> read_connection_counts(int map_fd) {
  std::map<std::uint32_t, exa_connection_counts> all;
  std::uint32_t tgid = 0;
  // Entries come and go meanwhile, and after one that went the walk begins anew: bounded apart.
  std::size_t steps = 2 * kMostProcesses;
  for (const std::uint32_t* from = nullptr;
       steps > 0 && bpf_map_get_next_key(map_fd, from, &tgid) == 0; from = &tgid, --steps) {
    exa_connection_counts counts{};
    if (bpf_map_lookup_elem(map_fd, &tgid, &counts) == 0) all[tgid] = counts;
  }
  return all;
}

}  // namespace exa::kernel
