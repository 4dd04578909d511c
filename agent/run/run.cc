#include "agent/run/run.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <optional>

#include "agent/config/config.h"
#include "agent/discovery/target_finder.h"
#include "agent/kernel/capture_programs.h"
#include "agent/kernel/ring_reader.h"
#include "agent/kernel/thread_look.h"
#include "agent/kernel/thread_sleeps.h"
#include "agent/model/exit_codes.h"
#include "agent/outputs/outputs.h"
#include "agent/privilege/capabilities.h"
#include "agent/privilege/single_instance.h"
#include "agent/privilege/zygote.h"
#include "agent/readers/reader_protocol.h"
#include "agent/run/messages/handed_over_file.h"
#include "agent/run/messages/status_files.h"
#include "agent/run/prober/prober.h"
#include "agent/run/reach.h"
#include "agent/run/run_pipeline.h"
#include "agent/run/signals.h"
#include "agent/telemetry/logging.h"

namespace exa {
namespace {

Result<HashKey> make_seed(const std::string& hex) {
  HashKey seed{};
  if (hex.empty()) {
    if (getrandom(seed.data(), seed.size(), 0) != static_cast<ssize_t>(seed.size()))
      return fail_errno("cannot generate a random seed", errno);
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
  WatchedThreads threads;
  kernel::RingReader control_ring;
  PipelineInheritance inherited;
};

// Without these, spans say everything about a thread except what it slept on.
WatchedThreads watch_threads(const Config& config, const kernel::CapturePrograms& programs,
                             const Log& log) {
  WatchedThreads threads;
  if (!config.exemplars.why) return threads;
  const auto watch = [&](auto& how, auto made) {
    if (made)
      how = std::move(*made);
    else
      log.warn("spans will not name everything that threads wait for: " + made.error().text);
  };
  if (programs.features().has(kernel::FeatureId::kThreadLook))
    watch(threads.look, kernel::ThreadLook::load(programs, capture_config(config)));
  if (config.exemplars.exact() && programs.features().has(kernel::FeatureId::kThreadSleeps))
    watch(threads.sleeps, kernel::ThreadSleeps::follow(programs));
  return threads;
}

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
  auto threads = watch_threads(config, *programs, log);
  PipelineInheritance inherited{.config = config,
                                .seed = *seed,
                                .event_ring_fds = programs->event_ring_fds(),
                                .kernel_counters = std::move(*counters),
                                .looks = threads.look.has_value(),
                                .record_file = std::move(*recording),
                                .services_file = UniqueFd(),
                                .handed_over_file = UniqueFd(),
                                .agent = own_resource()};
  if (auto services = open_services_file(config))
    inherited.services_file = std::move(*services);
  else
    log.warn(services.error().text);
  if (auto handed_over = open_handed_over_file(config))
    inherited.handed_over_file = std::move(*handed_over);
  else
    log.warn(handed_over.error().text);
  return Prepared{std::move(*programs), std::move(threads), std::move(*control_ring),
                  std::move(inherited)};
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
                                 ? "run as root: sudo exemplar-agent run"
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

}  // namespace

int run_agent(const Config& config, const std::vector<std::string>& warnings,
              std::function<Result<LoadedConfig>()> reload) {
  Log log(config.log.level, config.log.format, "exemplar-agent");
  if (const auto missing = missing_rights(); !missing.empty()) {
    log.error(missing);
    return kExitFailure;
  }
  const auto lock = lock_instance(config.lock_path);
  if (!lock) return fail_run(log, lock.error());
  if (!lock->acquired()) {
    log.error("another agent is already running" +
              (lock->other_process.empty() ? "" : ", as process " + lock->other_process) +
              "; it holds " + config.lock_path);
    return kExitSecondInstance;
  }
  for (const auto& warning : warnings)
    log.warn(warning);
  if (prints_nowhere(config))
    log.info(
        "standard output is not a terminal, so nothing is printed; --output table or json prints, "
        "--output none silences this line");
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
       {&prepared->inherited.record_file, &prepared->inherited.services_file,
        &prepared->inherited.handed_over_file})
    if (file->valid()) kept.push_back(file->get());
  auto pipeline = start_pipeline(
      reach_of(config), kept, [&](Channel channel, const Result<ConfinementReport>& confinement) {
        return run_pipeline(std::move(prepared->inherited), std::move(channel), confinement);
      });
  if (!pipeline) return fail_run(log, pipeline.error());
  prepared->inherited.record_file.reset();
  prepared->inherited.services_file.reset();
  prepared->inherited.handed_over_file.reset();
  if (auto tied = zygote->end_with_us(pipeline->exited.get()); !tied)
    return fail_run(log, tied.error());
  if (auto kept_few = keep_prober_capabilities(); !kept_few) return fail_run(log, kept_few.error());
  if (auto confined = confine_prober(); !confined) return fail_run(log, confined.error());

  const auto destinations = [&config](std::uint16_t endpoint_port) {
    return describe_exports(config, endpoint_port);
  };
  Prober prober(config, {.reload = std::move(reload), .destinations = destinations}, log,
                std::move(prepared->programs), std::move(prepared->threads),
                std::move(prepared->control_ring), std::move(*pipeline), std::move(*zygote),
                std::move(*signals));
  // The kernel takes the programs away at once; link by link, and joining threads, it may take
  // longer than anybody would wait.
  _exit(prober.run());
}

}  // namespace exa
