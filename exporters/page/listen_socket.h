// A listening TCP socket, or a sentence why not.
#pragma once

#include <cstdint>
#include <string>

#include "exa/base/result.h"
#include "exa/base/unique_fd.h"

namespace exa {

Result<UniqueFd> listen_on(const std::string& host, std::uint16_t port);

// The port the kernel gave; 0 on failure.
std::uint16_t bound_port(const UniqueFd& socket);

}  // namespace exa
