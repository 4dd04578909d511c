#include "agent/commands/commands.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <iostream>

#include "agent/commands/check.h"
#include "agent/commands/explain/explain.h"
#include "agent/commands/replay.h"
#include "agent/commands/status/status.h"
#include "agent/config/load.h"
#include "agent/model/exit_codes.h"
#include "agent/model/version.h"
#include "agent/outputs/outputs.h"
#include "agent/run/run.h"
#include "agent/telemetry/logging.h"

namespace exa {
namespace {

void print_error(const std::string& text) {
  std::fprintf(stderr, "exemplar-agent: %s\n", text.c_str());
}

Result<LoadedConfig> configuration_of(const CommandLine& command) {
  ConfigSources sources{.file_name = command.config_path,
                        .environment = otel_environment(environ),
                        .flags = command.flags};
  if (!command.config_path.empty()) {
    auto text = read_config_file(command.config_path);
    if (!text) return std::unexpected(text.error());
    sources.file_text = std::move(*text);
  }
  if (const auto declared = sources.environment.find("OTEL_CONFIG_FILE");
      declared != sources.environment.end() && !declared->second.empty()) {
    auto text = read_config_file(declared->second);
    if (!text) return std::unexpected(text.error());
    sources.declarative_name = declared->second;
    sources.declarative_text = std::move(*text);
    sources.variables = whole_environment(environ);
  }
  auto loaded = load_config(sources);
  if (loaded)
    if (auto valid = check_export_settings(loaded->config); !valid)
      return std::unexpected(valid.error());
  return loaded;
}

}  // namespace

int run_command(const CommandLine& command) {
  std::signal(SIGPIPE, SIG_IGN);
  if (command.verb == Verb::kVersion) {
    std::printf("exemplar-agent %s\n", agent_version().c_str());
    return kExitOk;
  }
  const auto loaded = configuration_of(command);
  if (!loaded) {
    print_error(loaded.error().text);
    return kExitBadConfiguration;
  }
  if (command.verb == Verb::kRun && !command.print_config)
    return run_agent(loaded->config, loaded->warnings,
                     [&command] { return configuration_of(command); });
  for (const auto& warning : loaded->warnings)
    print_error("warning: " + warning);
  if (command.print_config) {
    // To a person with origins; to a file as plain settings.
    const auto origins = isatty(STDOUT_FILENO) != 0 ? Origins::kShown : Origins::kLeftOut;
    std::fputs(config_yaml(*loaded, origins).c_str(), stdout);
    return kExitOk;
  }
  if (command.verb == Verb::kCheck) return check_host(loaded->config);
  if (command.verb == Verb::kStatus) return print_status(loaded->config, command.told_form);
  if (command.verb == Verb::kExplain) return print_explanation(loaded->config, command.told_form);
  return replay_recording(
      command.replay_path, loaded->config,
      Log(loaded->config.log.level, loaded->config.log.format, "exemplar-agent"));
}

int with_output_written(int exit_code) {
  errno = 0;
  std::cout.flush();
  const bool flushed = std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.good();
  if (flushed) return exit_code;
  // Where an earlier write failed, its reason is gone.
  print_error((errno != 0 ? fail_errno("standard output", errno).error().text : "standard output") +
              ": not everything was printed");
  return exit_code == kExitOk ? kExitFailure : exit_code;
}

}  // namespace exa
