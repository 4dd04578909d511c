// The verb `status`: what the running agent counted of each service and found in each process, from
// the two files that it keeps.
#pragma once

#include <cstdint>

namespace exa {

struct Config;

enum class StatusForm : std::uint8_t { kTable, kJson };

// The exit code.
int print_status(const Config& config, StatusForm form);

}  // namespace exa
