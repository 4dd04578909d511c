// Composes the product: the one file that names all concrete parts.
#pragma once

#include "agent/commands/cli.h"

namespace exa {

// Does what the command line says; the exit code.
int run_command(const CommandLine& command);

// The exit code of a command whose output is to be all there; says so where it is not.
int with_output_written(int exit_code);

}  // namespace exa
