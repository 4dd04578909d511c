// The only place that ends the process in order; everything else returns.
#include "agent/agent.h"
#include "agent/cli.h"
#include "agent/standard_streams.h"

int main(int argc, char** argv) {
  if (!exa::secure_standard_streams()) return exa::kExitFailure;
  const auto parsed = exa::parse_command_line(argc, argv);
  const auto* const code = std::get_if<int>(&parsed);
  return exa::with_output_written(
      code != nullptr ? *code : exa::run_command(std::get<exa::CommandLine>(parsed)));
}
