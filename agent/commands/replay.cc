#include "agent/commands/replay.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>

#include "agent/capture/event_log.h"
#include "agent/capture/target_message.h"
#include "agent/model/exit_codes.h"
#include "agent/outputs/outputs.h"
#include "agent/request_pipeline/request_pipeline.h"
#include "agent/request_pipeline/window_publisher.h"
#include "agent/run/pipeline/pipeline_options.h"

namespace exa {
namespace {

using namespace std::chrono_literals;

class Replay {
 public:
  Replay(const Config& config, const EventLogHeader& header)
      : pipeline_(std::make_unique<RequestPipeline>(pipeline_options(config, key_of(header.seed)),
                                                    counters_)) {
    pipeline_->on_clock_offset(header.start_offset);
  }

  Result<> run(EventLogReader& reader, WindowPublisher& publisher) {
    for (;;) {
      auto frame = reader.next();
      if (!frame) return std::unexpected(frame.error());
      if (!*frame) break;
      if (auto applied = apply(**frame, publisher); !applied) return applied;
    }
    // The tick of an orderly end is the last frame; a recording that was cut off has none.
    pipeline_->release_held();
    close(tick_.value_or(MonotonicTime{}), publisher);
    publisher.publish(*waiting_);
    return {};
  }

  [[nodiscard]] const Counters& counters() const { return counters_; }
  Counters& counters() { return counters_; }

 private:
  static HashKey key_of(const std::array<std::byte, 16>& seed) {
    HashKey key{};
    std::ranges::transform(seed, key.begin(),
                           [](std::byte byte) { return std::to_integer<std::uint8_t>(byte); });
    return key;
  }

  // A window waits until the next one closes, since that may have joined it.
  void close(MonotonicTime tick, WindowPublisher& publisher) {
    auto window = pipeline_->close_window(tick);
    if (merged_ && waiting_) {
      waiting_->absorb(std::move(window));
    } else {
      if (waiting_) publisher.publish(*waiting_);
      waiting_ = std::move(window);
    }
    merged_ = false;
  }

  // A tick closes its window once the next frame shows that it is not the last one.
  Result<> apply(const Frame& frame, WindowPublisher& publisher) {
    if (frame.kind == FrameKind::kWindowMerged) {
      merged_ = true;
      return {};
    }
    if (tick_) {
      if (begun_)
        close(*tick_, publisher);
      else
        pipeline_->begin(*tick_);
      begun_ = true;
      tick_.reset();
    }
    switch (frame.kind) {
      case FrameKind::kRingRecord:
        pipeline_->on_record(frame.payload);
        break;
      case FrameKind::kTargetMessage: {
        const auto target = decode_target(frame.payload);
        if (!target) return std::unexpected(target.error());
        pipeline_->on_target(*target);
        break;
      }
      case FrameKind::kClockOffset:
        if (const auto offset = frame.clock_offset()) pipeline_->on_clock_offset(*offset);
        break;
      case FrameKind::kWindowTick:
        tick_ = frame.window_tick();
        break;
      case FrameKind::kWindowMerged:
        break;
    }
    return {};
  }

  Counters counters_;
  std::unique_ptr<RequestPipeline> pipeline_;
  std::optional<MonotonicTime> tick_;
  std::optional<ClosedWindow> waiting_;
  bool merged_ = false;  // the window of tick_ joined the one that waits
  bool begun_ = false;
};

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

  Replay replay(replay_config, reader->header());
  WindowPublisher publisher({}, replay.counters(), exports->span_exporters(),
                            exports->metric_exporters());
  const auto done = replay.run(*reader, publisher);
  exports->shutdown(std::chrono::steady_clock::now() + 10s);
  if (const int error = exports->failure(); error != 0) return failed(log, {output_failure(error)});
  if (!done) return failed(log, {path + ": " + done.error().text});
  if (reader->truncated())
    log.warn(path + ": the recording was cut off; what it holds was replayed");
  return kExitOk;
}

}  // namespace exa
