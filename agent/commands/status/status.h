// The verb `status`: what the running agent counted of each service and found in each process, from
// the two files that it keeps.
#pragma once

#include "agent/commands/status/running_agent.h"

namespace exa {

struct Config;

// The exit code.
int print_status(const Config& config, ToldForm form);

}  // namespace exa
