// What the kernel knows of a process without looking into its memory or files: never waits.
#pragma once

#include <cstdint>
#include <string>

namespace exa {

// On whose account the agent's effort for a process goes: its container, else its user, and of root
// its cgroup, since root's services have nothing in common.
struct ProcessAccount {
  std::uint32_t user = 0;
  std::string name;
};
// Borrows the open folder of the process in /proc.
[[nodiscard]] ProcessAccount account_of(int process_fd);

}  // namespace exa
