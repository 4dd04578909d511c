#include "agent/agent.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <iostream>

#include "agent/check.h"
#include "agent/outputs.h"
#include "agent/pipeline.h"
#include "agent/privilege/capabilities.h"
#include "agent/privilege/single_instance.h"
#include "agent/privilege/zygote.h"
#include "agent/prober.h"
#include "agent/reach.h"
#include "agent/reader_protocol.h"
#include "agent/replay.h"
#include "agent/signals.h"
#include "agent/status.h"

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
  auto loaded = load_config(sources);
  if (loaded)
    if (auto valid = check_export_settings(loaded->config); !valid)
      return std::unexpected(valid.error());
  return loaded;
}

Result<HashKey> make_seed(const std::string& hex) {
  HashKey seed{};
  if (hex.empty()) {
    if (getrandom(seed.data(), seed.size(), 0) != static_cast<ssize_t>(seed.size()))
      return fail_errno("cannot draw a random seed", errno);
    return seed;
  }
  for (std::size_t i = 0; i < seed.size(); ++i)
    std::from_chars(hex.data() + 2 * i, hex.data() + 2 * i + 2, seed[i], 16);
  return seed;
}

std::shared_ptr<const Resource> own_resource() {
  const auto host = this_host();
  auto resource = std::make_shared<Resource>();
  resource->attributes = {{"service.name", std::string("exemplar-agent")},
                          {"service.instance.id", host.host_name + "-agent"},
                          {"service.version", host.agent_version},
                          {"process.pid", std::int64_t{getpid()}},
                          {"host.name", host.host_name},
                          {"os.type", std::string("linux")},
                          {"telemetry.sdk.name", std::string("exemplar-agent")},
                          {"telemetry.sdk.language", std::string("cpp")},
                          {"telemetry.sdk.version", host.agent_version}};
  return resource;
}

Result<UniqueFd> open_recording(const std::string& path) {
  if (path.empty()) return UniqueFd();
  // It holds heads of messages: for its owner's eyes only.
  UniqueFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.valid()) return fail_errno(path + ": the recording cannot be written", errno);
  return file;
}

// Everything that needs rights, before the fork gives them up.
struct Prepared {
  kernel::CapturePrograms programs;
  kernel::RingReader control_ring;
  PipelineInheritance inherited;
};

Result<Prepared> prepare(const Config& config, const Log& log) {
  auto recording = open_recording(config.record_path);
  if (!recording) return std::unexpected(recording.error());
  const auto seed = make_seed(config.exemplars.seed);
  if (!seed) return std::unexpected(seed.error());
  auto programs =
      kernel::CapturePrograms::load(capture_config(config), kernel::probe_kernel_features());
  if (!programs) return std::unexpected(programs.error());
  auto control_ring = kernel::RingReader::open(programs->control_ring_fd());
  if (!control_ring) return std::unexpected(control_ring.error());
  auto counters = kernel::KernelCounters::open(programs->counters_fd());
  if (!counters) return std::unexpected(counters.error());
  PipelineInheritance inherited{.config = config,
                                .seed = *seed,
                                .event_ring_fds = programs->event_ring_fds(),
                                .kernel_counters = std::move(*counters),
                                .record_file = std::move(*recording),
                                .services_file = UniqueFd(),
                                .agent = own_resource()};
  if (auto services = open_services_file(config))
    inherited.services_file = std::move(*services);
  else
    log.warn(services.error().text);
  return Prepared{std::move(*programs), std::move(*control_ring), std::move(inherited)};
}

int fail_run(const Log& log, const Error& error) {
  log.error(error.text);
  return kExitFailure;
}

// Empty: this process may do what has to be done.
std::string missing_rights() {
  std::string missing;
  for (const auto& capability : capability_states())
    if (capability.required && !capability.present)
      missing += (missing.empty() ? "" : ", ") + std::string(capability.text);
  if (missing.empty()) return missing;
  const char* const remedy = geteuid() != 0
                                 ? "run it as root: sudo exemplar-agent run"
                                 : "root here lacks them too: in a container, add them (docker run "
                                   "--cap-add), or see the chart's README";
  return "not permitted without " + missing + "; " + remedy;
}

// A table is for a terminal; who redirects it would wait for nothing.
bool prints_nowhere(const Config& config) {
  struct stat status{};
  return config.output == OutputForm::kAuto && isatty(STDOUT_FILENO) == 0 &&
         fstat(STDOUT_FILENO, &status) == 0 &&
         (S_ISFIFO(status.st_mode) || S_ISREG(status.st_mode));
}

int run_agent(const CommandLine& command, const LoadedConfig& loaded) {
  const auto& config = loaded.config;
  Log log(config.log.level, config.log.format, "exemplar-agent");
  if (const auto missing = missing_rights(); !missing.empty()) {
    log.error(missing);
    return kExitFailure;
  }
  const auto lock = lock_instance(config.lock_path);
  if (!lock) return fail_run(log, lock.error());
  if (!lock->acquired()) {
    log.error("another agent runs already" +
              (lock->other_process.empty() ? "" : ", as process " + lock->other_process) +
              "; it holds " + config.lock_path);
    return kExitSecondInstance;
  }
  for (const auto& warning : loaded.warnings)
    log.warn(warning);
  if (prints_nowhere(config))
    log.info(
        "standard output is no terminal, so nothing is printed; --output table or json prints, "
        "--output none says that this is meant");
  if (const auto readable = check_export_files(config); !readable) {
    log.error(readable.error().text);
    return kExitBadConfiguration;
  }
  auto signals = block_and_watch_signals();
  if (!signals) return fail_run(log, signals.error());
  auto zygote = Zygote::start(be_reader, config.pipeline.uid);
  if (!zygote) return fail_run(log, zygote.error());
  auto prepared = prepare(config, log);
  if (!prepared) return fail_run(log, prepared.error());

  auto kept = prepared->inherited.event_ring_fds;
  kept.push_back(prepared->programs.counters_fd());
  for (const auto* const file :
       {&prepared->inherited.record_file, &prepared->inherited.services_file})
    if (file->valid()) kept.push_back(file->get());
  auto pipeline = start_pipeline(
      reach_of(config), kept, [&](Channel channel, const Result<ConfinementReport>& confinement) {
        return run_pipeline(std::move(prepared->inherited), std::move(channel), confinement);
      });
  if (!pipeline) return fail_run(log, pipeline.error());
  prepared->inherited.record_file.reset();
  prepared->inherited.services_file.reset();
  if (auto tied = zygote->end_with_us(pipeline->exited.get()); !tied)
    return fail_run(log, tied.error());
  if (auto kept_few = keep_prober_capabilities(); !kept_few) return fail_run(log, kept_few.error());
  if (auto confined = confine_prober(); !confined) return fail_run(log, confined.error());

  const auto reload = [&command]() -> Result<Config> {
    auto again = configuration_of(command);
    if (!again) return std::unexpected(again.error());
    return std::move(again->config);
  };
  Prober prober(config, reload, log, std::move(prepared->programs),
                std::move(prepared->control_ring), std::move(*pipeline), std::move(*zygote),
                std::move(*signals));
  // The kernel takes the programs away at once; link by link, and joining threads, it may take
  // longer than anybody would wait.
  _exit(prober.run());
}

}  // namespace

int run_command(const CommandLine& command) {
  std::signal(SIGPIPE, SIG_IGN);
  if (command.verb == Verb::kVersion) {
    std::puts("exemplar-agent " EXA_VERSION);
    return kExitOk;
  }
  const auto loaded = configuration_of(command);
  if (!loaded) {
    print_error(loaded.error().text);
    return kExitBadConfiguration;
  }
  if (command.verb == Verb::kRun && !command.print_config) return run_agent(command, *loaded);
  for (const auto& warning : loaded->warnings)
    print_error("warning: " + warning);
  if (command.print_config) {
    // To a person with origins; to a file as plain settings.
    const auto origins = isatty(STDOUT_FILENO) != 0 ? Origins::kShown : Origins::kLeftOut;
    std::fputs(config_yaml(*loaded, origins).c_str(), stdout);
    return kExitOk;
  }
  if (command.verb == Verb::kCheck) return check_host(loaded->config);
  if (command.verb == Verb::kStatus) return print_status(loaded->config, command.status_form);
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
              ": not all was printed");
  return exit_code == kExitOk ? kExitFailure : exit_code;
}

}  // namespace exa
