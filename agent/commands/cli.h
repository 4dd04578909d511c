// The command line: verbs, and one flag for each setting that has one (config/setting.h).
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "agent/commands/explain/explain.h"
#include "agent/commands/status/status.h"
#include "agent/config/load.h"

namespace exa {

enum class Verb : std::uint8_t { kRun, kCheck, kStatus, kExplain, kReplay, kVersion };

struct CommandLine {
  Verb verb = Verb::kRun;
  std::string config_path;
  std::vector<FlagSetting> flags;
  bool print_config = false;
  std::string replay_path;
  ToldForm told_form = ToldForm::kText;  // of status and explain
};

// Prints help or what is wrong; then only the exit code is left.
using ParsedCommandLine = std::variant<CommandLine, int>;
ParsedCommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace exa
