#include "agent/run/run_pipeline.h"

#include <algorithm>

#include "agent/config/config.h"
#include "agent/config/policy_text.h"
#include "agent/kernel/ring_reader.h"
#include "agent/model/exit_codes.h"
#include "agent/outputs/outputs.h"
#include "agent/privilege/pipeline_process.h"
#include "agent/request_pipeline/request_pipeline.h"
#include "agent/run/messages/handed_over_file.h"
#include "agent/run/pipeline/capture_health.h"
#include "agent/run/pipeline/capture_loop.h"
#include "agent/run/pipeline/live_events.h"
#include "agent/run/pipeline/pipeline_options.h"
#include "agent/run/pipeline/window_hand_over.h"
#include "agent/run/pipeline/window_publication.h"
#include "agent/telemetry/logging.h"

namespace exa {
namespace {

class KernelRing final : public RecordRing {
 public:
  explicit KernelRing(kernel::RingReader& reader) : reader_(reader) {}
  std::size_t read(std::size_t at_most, CaptureLoop& loop) override {
    return reader_.consume(at_most,
                           [&loop](std::span<const std::byte> record) { loop.on_record(record); });
  }
  void wait(Duration at_most) override { reader_.wait(at_most); }

 private:
  kernel::RingReader& reader_;
};

auto totals_of(kernel::KernelCounters& counters) {
  return [&counters]() -> Result<std::vector<std::uint64_t>> {
    const auto values = counters.read();
    if (!values) return std::unexpected(values.error());
    return std::vector<std::uint64_t>(values->begin(), values->end());
  };
}

int give_up(const Log& log, const Error& error) {
  log.error(error.text);
  return kExitFailure;
}

}  // namespace

int run_pipeline(PipelineInheritance inherited, Channel channel,
                 const Result<ConfinementReport>& confinement) {
  const auto& config = inherited.config;
  Log log(config.log.level, config.log.format, "exemplar-agent/pipeline");
  if (!confinement) return give_up(log, confinement.error());
  for (const auto& lacking : confinement->lacking)
    log.warn(lacking);
  if (auto watched = end_with_peer(channel.fd()); !watched) return give_up(log, watched.error());
  auto rings = kernel::RingReader::open(inherited.event_ring_fds);
  if (!rings) return give_up(log, rings.error());
  const auto offset = measure_wall_clock_offset();
  auto recording = Recording::begin(std::move(inherited.record_file), inherited.seed, offset,
                                    policies_text(config.exemplars.policies));
  if (!recording) return give_up(log, recording.error());

  OccasionalLog occasional(log);
  Counters counters;
  ExportCounters export_counters;
  CaptureHealth health;
  SelfGauges gauges;  // of the capture thread
  auto outputs = start_exports(
      config, export_counters, [&health] { return health.readiness(monotonic_now()); }, log);
  if (!outputs) return give_up(log, outputs.error());
  // On the heap: it holds large tables.
  const auto pipeline =
      std::make_unique<RequestPipeline>(pipeline_options(config, inherited.seed), counters);
  pipeline->on_clock_offset(offset);
  // A replay would not have it: then both do without.
  const auto handed_over = std::move(inherited.handed_over_file);
  if (handed_over.valid())
    if (const auto text = take_handed_over(handed_over.get()); !recording->goes_on())
      pipeline->take_over(HandedOver::from_text(text, monotonic_now()));

  WindowPublication publication(
      {.config = config,
       .counters = counters,
       .export_counters = export_counters,
       .outputs = *outputs,
       .occasional = occasional,
       .agent = inherited.agent,
       .kernel_totals = totals_of(inherited.kernel_counters),
       .memory_use = confinement->memory_use.get(),
       .services_file = std::move(inherited.services_file),
       .start = offset.to_wall(monotonic_now())},
      WindowPublisher(publisher_options(config, inherited.agent), counters,
                      outputs->span_exporters(), outputs->metric_exporters(),
                      outputs->record_exporters()));
  WindowHandOver windows(*pipeline, gauges, counters,
                         [&publication](WindowJob& job) { publication.publish(job); });
  CaptureLoop loop(*pipeline, windows, *recording);
  TargetNaming naming(config.kubernetes, counters, log,
                      [&loop](const Target& target) { loop.on_target(target); });
  ProberTalk prober(std::move(channel), naming, health, counters, log);
  KernelRing ring(*rings);
  LiveEvents events({.ring = ring,
                     .prober = prober,
                     .naming = naming,
                     .health = health,
                     .pipeline = *pipeline,
                     .recording = *recording,
                     .outputs = *outputs,
                     .gauges = gauges,
                     .occasional = occasional,
                     .looks = inherited.looks},
                    config.window, offset);
  loop.run(events);
  if (handed_over.valid() && events.deadline()) {
    const auto text = pipeline->hand_over().to_text(monotonic_now());
    if (const auto left = leave_handed_over(handed_over.get(), text); !left)
      log.warn(left.error().text);
  }
  windows.finish();
  // Out of order, nobody waits for what is left.
  const auto deadline = events.deadline().value_or(MonotonicTime{});
  outputs->shutdown(std::chrono::steady_clock::time_point(Duration(deadline.ns)));
  if (const int error = outputs->failure(); error != 0) {
    log.error(output_failure(error));
    return kExitOutputFailed;
  }
  return events.deadline() ? kExitOk : kExitFailure;
}

}  // namespace exa
