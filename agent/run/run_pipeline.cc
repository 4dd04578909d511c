#include "agent/run/run_pipeline.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "agent/capture/event_log.h"
#include "agent/capture/poll_pace.h"
#include "agent/capture/target_message.h"
#include "agent/kernel/ring_reader.h"
#include "agent/model/exit_codes.h"
#include "agent/naming/container_names.h"
#include "agent/naming/engine_reader.h"
#include "agent/naming/kubernetes/pod_watch.h"
#include "agent/outputs/outputs.h"
#include "agent/privilege/pipeline_process.h"
#include "agent/request_pipeline/request_pipeline.h"
#include "agent/request_pipeline/window_publisher.h"
#include "agent/run/messages/prober_line.h"
#include "agent/run/messages/share_losses.h"
#include "agent/run/pipeline/capture_health.h"
#include "agent/run/pipeline/pipeline_options.h"
#include "agent/run/pipeline/service_totals.h"
#include "agent/run/pipeline/window_loop.h"

namespace exa {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kRecordsPerTurn = 8192;
constexpr std::size_t kPodUpdatesQueued = 512;
constexpr int kWordsPerTurn = 512;
constexpr Duration kLongestEnd = 10s;

// Waiting for acknowledgements twice (a window on its way, and the last) must fit into the time
// that SIGTERM leaves.
std::chrono::milliseconds acknowledgement_deadline(const Config& config) {
  const auto window = std::chrono::duration_cast<std::chrono::milliseconds>(config.window);
  return std::clamp<std::chrono::milliseconds>(window * 3 / 4, 250ms, 2000ms);
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// statm: "SIZE RESIDENT ...", in pages.
std::uint64_t resident_bytes(int statm) {
  std::array<char, 128> text{};
  if (pread(statm, text.data(), text.size() - 1, 0) <= 0) return 0;
  char* end = nullptr;
  std::strtoull(text.data(), &end, 10);
  const auto resident_pages = std::strtoull(end, nullptr, 10);
  return resident_pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

class PipelineLoop {
 public:
  PipelineLoop(PipelineInheritance inherited, Channel channel)
      : inherited_(std::move(inherited)),
        prober_(std::move(channel)),
        log_(inherited_.config.log.level, inherited_.config.log.format, "exemplar-agent/pipeline"),
        occasional_(log_),
        pipeline_(pipeline_options(inherited_.config, inherited_.seed), counters_) {}

  int run(const Result<ConfinementReport>& confinement) {
    if (!confinement) return give_up(confinement.error());
    for (const auto& lacking : confinement->lacking)
      log_.warn(lacking);
    memory_use_fd_ = confinement->memory_use.get();
    if (auto watched = end_with_peer(prober_.fd()); !watched) return give_up(watched.error());
    auto ring = kernel::RingReader::open(inherited_.event_ring_fds);
    if (!ring) return give_up(ring.error());
    if (auto opened = open_recording(); !opened) return give_up(opened.error());
    auto exports = start_exports(
        inherited_.config, export_counters_, [this] { return health_.readiness(monotonic_now()); },
        log_);
    if (!exports) return give_up(exports.error());
    exports_ = &*exports;
    start_ = offset_.to_wall(monotonic_now());
    WindowPublisher publisher({.ack_deadline = acknowledgement_deadline(inherited_.config)},
                              counters_, exports->span_exporters(), exports->metric_exporters());
    WindowLoop windows([&](WindowJob& job) { publish(publisher, job); });
    windows_ = &windows;
    const auto pod_watch = watch_pods();
    pod_watch_ = pod_watch.get();
    const bool ended_in_order = capture(*ring);
    windows.finish();
    if (pending_) publish(publisher, *pending_);  // the window thread is gone
    exports->shutdown(std::chrono::steady_clock::time_point(Duration(deadline_.ns)));
    if (exports->failure() != 0) {
      log_.error(output_failure(exports->failure()));
      return kExitOutputFailed;
    }
    return ended_in_order ? kExitOk : kExitFailure;
  }

 private:
  int give_up(const Error& error) {
    log_.error(error.text);
    return kExitFailure;
  }

  Result<> open_recording() {
    offset_ = measure_wall_clock_offset();
    pipeline_.on_clock_offset(offset_);
    if (!inherited_.record_file.valid()) return {};
    EventLogHeader header{.seed = {}, .start_offset = offset_};
    std::ranges::transform(inherited_.seed, header.seed.begin(),
                           [](std::uint8_t byte) { return std::byte{byte}; });
    auto writer = EventLogWriter::create(std::move(inherited_.record_file), header);
    if (!writer) return std::unexpected(writer.error());
    recorder_.emplace(std::move(*writer));
    return {};
  }

  // False if the prober vanished or spoke nonsense.
  bool capture(kernel::RingReader& ring) {
    while (!stopping_) {
      const auto records = read_ring(ring);
      const auto pause = pace_.next(records);
      if (records < kRecordsPerTurn) ring.wait(until_tick(pause));
      if (!hear_prober()) return false;
      if (pod_naming_) name_by_pods(monotonic_now());
      if (const auto now = monotonic_now(); next_tick_.known() && now >= next_tick_) {
        drain(ring);
        close_window(now);
      }
      // Whoever printed has lost his reader: he would run on for nobody.
      if (exports_->failure() != 0) {
        deadline_ = monotonic_now() + Duration(2s);
        stopping_ = true;
      }
    }
    drain(ring);
    if (pod_naming_) pod_naming_->release_all();
    pipeline_.release_held();
    close_window(monotonic_now());
    return true;
  }

  std::size_t read_ring(kernel::RingReader& ring) {
    if (!begun_) return 0;  // targets first
    return ring.consume(kRecordsPerTurn, [this](std::span<const std::byte> record) {
      if (recorder_) recorder_->ring_record(record);
      pipeline_.on_record(record);
    });
  }

  // What was in the ring at the time of the call; a flood of new records does not keep us here.
  void drain(kernel::RingReader& ring) {
    for (int turn = 0; turn < 64 && read_ring(ring) == kRecordsPerTurn; ++turn) {
    }
  }

  [[nodiscard]] Duration until_tick(Duration at_most) const {
    return next_tick_.known() ? std::min(at_most, elapsed(monotonic_now(), next_tick_)) : at_most;
  }

  bool hear_prober() {
    for (int i = 0; i < kWordsPerTurn; ++i) {
      auto word = prober_.hear();
      if (!word) break;
      std::visit([this](auto& said) { on_word(said); }, *word);
    }
    if (!prober_.over() || stopping_) return true;
    if (!prober_.violation().empty()) log_.error("the prober said " + prober_.violation());
    return false;
  }

  void on_word(const ToldComplete& complete) {
    tls_ = complete.tls;
    begin();
  }
  void on_word(LogThreshold level) { log_.set_level(level); }
  void on_word(const Heartbeat& beat) { health_.on_heartbeat(beat, counters_, monotonic_now()); }
  void on_word(const ToldShutdown& shutdown) {
    deadline_ = std::min(shutdown.deadline, monotonic_now() + kLongestEnd);
    stopping_ = true;
  }
  void on_word(ToldTarget& told) {
    auto& target = told.target;
    if (told.engine_file.valid()) {
      const auto container_id = attribute_text(target.resource->attributes, "container.id");
      add_container_names(target,
                          engines_.names_in(told.document, told.engine_file.get(), container_id));
    }
    if (pod_naming_)
      pod_naming_->on_target(target, monotonic_now());
    else
      hand_on(target);
  }

  void hand_on(const Target& target) {
    if (!recorder_) {
      pipeline_.on_target(target);
      return;
    }
    const auto message = encode_target(target);
    recorder_->target_message(message);
    // What a replay will read, to the last attribute that fits.
    if (const auto replayed = decode_target(message)) pipeline_.on_target(*replayed);
  }

  // Nothing outside a pod, or where it is switched off.
  std::unique_ptr<PodWatch> watch_pods() {
    const auto& settings = inherited_.config.kubernetes;
    if (!settings.enabled || getenv("KUBERNETES_SERVICE_HOST") == nullptr) return nullptr;
    auto options = pod_watch_options(settings, getenv);
    if (!options) {
      log_.warn("processes keep names without pods: " + options.error().text);
      return nullptr;
    }
    pod_naming_.emplace(PodNamingOptions{.rules = {.use_labels = settings.use_labels}},
                        pod_updates_, counters_, [this](const Target& target) { hand_on(target); });
    return std::make_unique<PodWatch>(std::move(*options), pod_updates_, counters_, log_);
  }

  void name_by_pods(MonotonicTime now) {
    pod_naming_->advance(now);
    if (pod_naming_->awaits_pods()) pod_watch_->ask_soon();
  }

  void fill_pod_gauges(SelfGauges& gauges, MonotonicTime now) const {
    if (!pod_naming_) return;
    const auto health = pod_watch_->health();
    gauges.pods = pod_naming_->directory().size();
    gauges.pods_source = health.state;
    gauges.pods_answer_age_s =
        std::chrono::duration<double>(elapsed(health.last_answer, now)).count();
  }

  void begin() {
    begun_ = true;
    const auto now = monotonic_now();
    tell_tick(now);
    pipeline_.begin(now);
    schedule_tick(now);
    health_.begin();
    prober_.say_ready(exports_->listening_port());
  }

  // Windows end at whole multiples of their length on the wall clock, on every node the same.
  void schedule_tick(MonotonicTime now) {
    const auto length = static_cast<std::uint64_t>(inherited_.config.window.count());
    const auto wall = offset_.to_wall(now).ns;
    next_tick_ = {now.ns + (length - wall % length)};
  }

  void tell_tick(MonotonicTime time) {
    if (recorder_) recorder_->window_tick(time);
  }

  void close_window(MonotonicTime now) {
    if (!begun_) return;
    tell_tick(now);
    WindowJob job{.window = pipeline_.close_window(now), .gauges = {}};
    job.gauges.live_series = pipeline_.live_series();
    job.gauges.targets = pipeline_.targets();
    job.gauges.held_exchanges = pipeline_.held_exchanges();
    job.gauges.connections = pipeline_.connections();
    job.gauges.connections_limit = pipeline_.connections_limit();
    fill_pod_gauges(job.gauges, now);
    job.gauges.tls = tls_;
    hand_over(std::move(job));
    tell_share_losses();
    // The tick of the end is the last frame of a recording: by that a replay knows it.
    if (!stopping_) measure_clock();
    schedule_tick(now);
    if (recorder_) tell_failed_recording();
  }

  // Totals, so that one for which there is no room is made good by the next.
  void tell_share_losses() {
    const auto losses = pipeline_.share_losses(kShareLossesPerMessage);
    if (losses.empty()) return;
    write_share_losses(losses, message_);
    prober_.say_share_losses(message_);
  }

  // Behind: windows become one, and no count is lost.
  void hand_over(WindowJob job) {
    if (pending_) {
      counters_.add(Counter::kWindowsLate);
      if (recorder_) recorder_->window_merged();
      pending_->window.absorb(std::move(job.window));
      pending_->gauges = job.gauges;
    } else {
      pending_.emplace(std::move(job));
    }
    if (windows_->push(std::move(*pending_))) pending_.reset();
  }

  void measure_clock() {
    const auto offset = measure_wall_clock_offset();
    offset_ = offset;
    pipeline_.on_clock_offset(offset);
    if (recorder_) recorder_->clock_offset(offset);
  }

  void tell_failed_recording() {
    recorder_->flush();
    if (recorder_->stopped())
      occasional_.warn("record", "recording ended: " + recorder_->error()->text, monotonic_now());
  }

  // Window thread.
  void publish(WindowPublisher& publisher, WindowJob& job) {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    job.gauges.cpu_seconds = {seconds_of(used.ru_utime) + seconds_of(used.ru_stime)};
    job.gauges.resident_bytes = resident_bytes(memory_use_fd_);
    job.gauges.spans_queued = exports_->queued_spans();
    job.gauges.exemplar_budget = inherited_.config.exemplars.spans_per_window;
    job.gauges.window_s = std::chrono::duration<double>(inherited_.config.window).count();
    auto kernel = inherited_.kernel_counters.read();
    if (!kernel) occasional_.warn("kernel counters", kernel.error().text, monotonic_now());
    std::vector<ResourceMetrics> self;
    self.push_back(self_metrics(
        inherited_.agent, counters_, export_counters_,
        kernel ? std::span<const std::uint64_t>(*kernel) : std::span<const std::uint64_t>(),
        job.gauges, start_, job.window.end));
    publisher.publish(job.window, std::move(self));
    services_.add(job.window);
    if (inherited_.services_file.valid() && !services_.tell(inherited_.services_file.get()))
      occasional_.warn("services", "`status` is not told the services any more", monotonic_now());
  }

  PipelineInheritance inherited_;
  ProberLine prober_;
  ChannelMessage message_;  // what is said
  Log log_;
  OccasionalLog occasional_;
  Counters counters_;
  ExportCounters export_counters_;
  RequestPipeline pipeline_;
  PodUpdates pod_updates_{kPodUpdatesQueued};
  EngineReader engines_;
  ServiceTotals services_;
  std::optional<PodNaming> pod_naming_;
  std::optional<EventLogWriter> recorder_;
  ExportChain* exports_ = nullptr;  // lives in run()
  WindowLoop* windows_ = nullptr;   // lives in run()
  PodWatch* pod_watch_ = nullptr;   // lives in run(); there where pod_naming_ is
  std::optional<WindowJob> pending_;
  PollPace pace_;
  TlsState tls_ = TlsState::kOff;
  WallClockOffset offset_;
  WallTime start_;
  MonotonicTime next_tick_;
  MonotonicTime deadline_;
  int memory_use_fd_ = -1;  // the report's
  CaptureHealth health_;
  bool begun_ = false;
  bool stopping_ = false;
};

}  // namespace

int run_pipeline(PipelineInheritance inherited, Channel channel,
                 const Result<ConfinementReport>& confinement) {
  // On the heap: the loop holds large tables.
  return std::make_unique<PipelineLoop>(std::move(inherited), std::move(channel))->run(confinement);
}

}  // namespace exa
