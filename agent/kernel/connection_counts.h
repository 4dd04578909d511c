// What the BPF programs counted of connections that are not read, or that are TLS: by process.
// Any thread. At most kMostProcesses, of more the kernel forgets the oldest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "exa/abi/connection_kinds.h"

namespace exa::kernel {

inline constexpr std::size_t kMostProcesses = 2048;

// By the numbers of the processes. The descriptor of the map is borrowed.
std::map<std::uint32_t, exa_connection_counts> read_connection_counts(int map_fd);

}  // namespace exa::kernel
