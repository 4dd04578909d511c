// The only place that ends the process in order; everything else returns.
#include "agent/commands/cli.h"
#include "agent/commands/commands.h"
#include "agent/commands/standard_streams.h"
#include "agent/model/exit_codes.h"
#include "exa/base/overloaded.h"

int main(int argc, char** argv) {
  if (!exa::secure_standard_streams()) return exa::kExitFailure;
  const auto parsed = exa::parse_command_line(argc, argv);
  return exa::with_output_written(
      std::visit(exa::Overloaded{
                     [](int code) { return code; },
                     [](const exa::CommandLine& command) { return exa::run_command(command); },
                 },
                 parsed));
}
