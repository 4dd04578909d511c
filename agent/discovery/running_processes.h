// Which processes there are at the moment, by their numbers. Prober and tls threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace exa {

// At most limit processes, in the order of /proc, which is at root.
std::vector<std::uint32_t> running_processes(const std::string& root, std::size_t limit);

// Nobody has the number.
bool is_gone(std::uint32_t tgid);

}  // namespace exa
