#include "agent/commands/replay.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "agent/capture/event_log.h"
#include "agent/model/exit_codes.h"
#include "agent/outputs/outputs.h"
#include "agent/request_pipeline/request_pipeline.h"
#include "agent/request_pipeline/window_publisher.h"
#include "agent/run/pipeline/capture_loop.h"
#include "agent/run/pipeline/pipeline_options.h"
#include "agent/run/pipeline/recorded_events.h"

namespace exa {
namespace {

using namespace std::chrono_literals;

HashKey key_of(const std::array<std::byte, 16>& seed) {
  HashKey key{};
  std::ranges::transform(seed, key.begin(),
                         [](std::byte byte) { return std::to_integer<std::uint8_t>(byte); });
  return key;
}

int failed(const Log& log, const Error& error) {
  log.error(error.text);
  return kExitFailure;
}

}  // namespace

int replay_recording(const std::string& path, const Config& config, const Log& log) {
  UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return failed(log, fail_errno(path + ": cannot be opened", errno).error());
  auto reader = EventLogReader::open(std::move(file));
  if (!reader) return failed(log, {path + ": " + reader.error().text});

  auto replay_config = config;
  replay_config.openmetrics.enabled = false;
  if (replay_config.output == OutputForm::kAuto) replay_config.output = OutputForm::kTable;
  ExportCounters export_counters;
  auto exports = start_exports(
      replay_config, export_counters, [] { return Readiness{}; }, log, Tables::kListed);
  if (!exports) return failed(log, exports.error());

  Counters counters;
  // On the heap: it holds large tables.
  const auto pipeline = std::make_unique<RequestPipeline>(
      pipeline_options(replay_config, key_of(reader->header().seed)), counters);
  pipeline->on_clock_offset(reader->header().start_offset);
  WindowPublisher publisher(publisher_options(replay_config, std::make_shared<const Resource>()),
                            counters, exports->span_exporters(), exports->metric_exporters(),
                            exports->record_exporters());
  ReplayedWindows windows([&publisher](const ClosedWindow& window) { publisher.publish(window); });
  Recording unrecorded;
  CaptureLoop loop(*pipeline, windows, unrecorded);
  RecordedEvents events(*reader, windows);
  loop.run(events);
  const auto& done = events.outcome();
  if (done) windows.finish();
  exports->shutdown(std::chrono::steady_clock::now() + 10s);
  if (const int error = exports->failure(); error != 0) return failed(log, {output_failure(error)});
  if (!done) return failed(log, {path + ": " + done.error().text});
  if (reader->truncated())
    log.warn(path + ": the recording is truncated; what it holds was replayed");
  return kExitOk;
}

}  // namespace exa
