#include "agent/commands/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <deque>
#include <span>
#include <utility>

#include "agent/config/setting.h"
#include "agent/config/value_text.h"
#include "agent/model/exit_codes.h"
#include "agent/model/version.h"

namespace exa {
namespace {

constexpr const char* kAbout =
    "Latency histograms of every request on this host, with exemplars that open their traces.\n"
    "Observes with eBPF; the observed programs need no SDK, restart or configuration.";

constexpr const char* kRunExamples = R"(Examples:
  exemplar-agent run
      every process; a table every 10 s on the terminal, OpenMetrics on 127.0.0.1:9464
  exemplar-agent run --otlp-endpoint http://collector:4318 --window 30s
      spans and histograms to an OpenTelemetry Collector, every 30 s
  exemplar-agent run --include-exe '*/nginx' --exclude-port 8080
      nginx only, except for what it serves on port 8080
  exemplar-agent run --config /etc/exemplar-agent.yaml --print-config
      the effective configuration: defaults, file, OTEL_* environment and flags

Flags override the OTEL_* environment, which overrides the file. List flags may be repeated.
Exit codes: 0 clean exit, 1 failure, 2 bad configuration, 3 another agent is already running.)";

constexpr const char* kReplayExamples = R"(Examples:
  exemplar-agent run --record traffic.exa        then, as any user:
  exemplar-agent replay traffic.exa              the tables of that run
  exemplar-agent replay traffic.exa --output json | jq -c 'select(.type == "span")')";

constexpr const char* kExplainNotes =
    R"(Requests of one service, side, method and status are compared with those of earlier windows (usual
is a moving average of 30 windows), and the slowest percent of them with the others. What grew is
where the difference went: on a CPU, waiting for one, asleep, in requests of its own.
A trace id opens the trace in your backend.)";

// The settings that mean something when nothing is captured.
constexpr std::array<std::string_view, 7> kReplaySettings = {
    "output",           "table.rows", "table.sort", "otlp.endpoint",
    "exemplars.budget", "log.level",  "log.format"};

// The one that says which agent is meant.
constexpr std::array<std::string_view, 1> kStatusSettings = {"lock_file"};

// Texts that CLI11 writes into while it parses; they stay where they are.
struct FlagTexts {
  std::string flag;
  bool only_last = false;  // of several the last one holds
  std::vector<std::string> values = {};
};

// only: keys of the settings that the verb takes; empty: all.
void add_setting_flags(CLI::App& verb, std::deque<FlagTexts>& texts,
                       std::span<const std::string_view> only) {
  for (const auto& setting : all_settings()) {
    if (setting.flag.empty()) continue;
    if (!only.empty() && std::ranges::find(only, setting.key) == only.end()) continue;
    auto& text = texts.emplace_back(
        FlagTexts{std::string(setting.flag), setting.shape == SettingShape::kScalar});
    auto* const option = verb.add_option(text.flag, text.values, std::string(setting.sentence))
                             ->type_name(std::string(setting.value_name))
                             ->allow_extra_args(false);
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
}

// Empty where the verb is one.
std::string problem_of_verb(const CLI::App& app, const std::string& verb) {
  std::vector<std::string_view> known;
  std::string names;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == verb) return {};
    known.push_back(command->get_name());
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  if (verb.empty())
    return "a command is required, one of " + names +
           "; 'exemplar-agent run' observes this host, 'exemplar-agent --help' describes each";
  const auto meant = nearest(verb, known);
  return "'" + verb + "' is not a command" +
         (meant.empty() ? std::string(".") : "; did you mean '" + std::string(meant) + "'?") +
         " Commands: " + names + "; 'exemplar-agent --help' describes each";
}

}  // namespace

ParsedCommandLine parse_command_line(int argc, const char* const* argv) {
  CommandLine command;
  bool told_as_json = false;
  std::deque<FlagTexts> texts;
  CLI::App app(kAbout, "exemplar-agent");
  app.require_subcommand(1);
  app.footer("'exemplar-agent run --help' shows all flags, with examples.");
  app.set_version_flag("--version", std::string("exemplar-agent ") + agent_version());

  auto* const run = app.add_subcommand("run", "observe this host until stopped by a signal");
  run->add_option("--config", command.config_path, "YAML file with settings")->type_name("FILE");
  run->add_flag("--print-config", command.print_config,
                "print the effective configuration as YAML and exit");
  add_setting_flags(*run, texts, {});
  run->footer(kRunExamples);

  auto* const check = app.add_subcommand(
      "check", "show what this host supports and whether the agent can run here as configured");
  check->add_option("--config", command.config_path, "YAML file with settings")->type_name("FILE");
  add_setting_flags(*check, texts, {});

  auto* const status =
      app.add_subcommand("status", "show what the running agent found in each process");
  status->add_option("--config", command.config_path, "YAML file with settings")->type_name("FILE");
  add_setting_flags(*status, texts, kStatusSettings);
  status->add_flag("--json", told_as_json, "print JSON, for programs");

  auto* const explain = app.add_subcommand(
      "explain", "say what was slow and what failed in the running agent's last window, and why");
  explain->add_option("--config", command.config_path, "YAML file with settings")
      ->type_name("FILE");
  add_setting_flags(*explain, texts, kStatusSettings);
  explain->add_flag("--json", told_as_json, "print JSON, for programs");
  explain->footer(kExplainNotes);

  auto* const replay = app.add_subcommand("replay", "recompute the results of a recording");
  replay->add_option("file", command.replay_path, "written by 'run --record'")->required();
  replay->add_option("--config", command.config_path, "YAML file with settings")->type_name("FILE");
  add_setting_flags(*replay, texts, kReplaySettings);
  replay->footer(kReplayExamples);

  app.add_subcommand("version", "print the version");

  if (argc < 2 || argv[1][0] != '-')
    if (const auto problem = problem_of_verb(app, argc < 2 ? "" : argv[1]); !problem.empty()) {
      std::fprintf(stderr, "exemplar-agent: %s\n", problem.c_str());
      return kExitBadConfiguration;
    }

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitBadConfiguration;
  }
  if (app.got_subcommand("check")) command.verb = Verb::kCheck;
  if (app.got_subcommand("status")) command.verb = Verb::kStatus;
  if (told_as_json) command.told_form = ToldForm::kJson;
  if (app.got_subcommand("explain")) command.verb = Verb::kExplain;
  if (app.got_subcommand("replay")) command.verb = Verb::kReplay;
  if (app.got_subcommand("version")) command.verb = Verb::kVersion;
  for (auto& text : texts) {
    if (text.values.empty()) continue;
    if (text.only_last) text.values.erase(text.values.begin(), text.values.end() - 1);
    command.flags.push_back({text.flag, std::move(text.values)});
  }
  return command;
}

}  // namespace exa
