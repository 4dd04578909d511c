// Tells an administrator whether the agent can run here and what each lack costs.
#pragma once

namespace exa {

struct Config;

// Prints a table on standard output; the exit code is 0 if 'run' can work with this configuration.
int check_host(const Config& config);

}  // namespace exa
