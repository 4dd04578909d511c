// Composes the product: the one file that names all concrete parts.
#pragma once

#include "agent/cli.h"

namespace exa {

// Does what the command line says; the exit code.
int run_command(const CommandLine& command);

}  // namespace exa
