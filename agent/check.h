// Tells an administrator whether the agent can run here and what each lack costs.
#pragma once

namespace exa {

// Prints a table on standard output; the exit code is 0 if 'run' can work.
int check_host();

}  // namespace exa
