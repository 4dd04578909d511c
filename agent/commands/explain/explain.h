// The verb `explain`: what was slow and what failed in the running agent's last window, and why.
#pragma once

#include "agent/commands/status/running_agent.h"

namespace exa {

struct Config;

// The exit code.
int print_explanation(const Config& config, ToldForm form);

}  // namespace exa
