// What a reader does, without a process of its own; and the host that targets are of.
#pragma once

#include <fcntl.h>

#include <optional>
#include <string>

#include "agent/discovery/target_builder.h"
#include "exa/base/unique_fd.h"

namespace exa::test {

inline const HostIdentity kHost{.host_name = "web1", .agent_version = "9.9.9"};

inline std::optional<ProcessWords> read_here(int process_fd, std::uint32_t,
                                             const std::string& executable) {
  const UniqueFd environment(openat(process_fd, "environ", O_RDONLY | O_CLOEXEC));
  const UniqueFd command(openat(process_fd, "cmdline", O_RDONLY | O_CLOEXEC));
  return read_words(environment.get(), command.get(), executable);
}

}  // namespace exa::test
