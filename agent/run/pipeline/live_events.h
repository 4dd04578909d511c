// The events of a run: records of the rings, targets that the prober tells, ticks of the clock.
// Capture thread only, owned by the pipeline process. A turn ends within 20 ms of silence; of a
// flood it takes in kRecordsPerTurn records at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>

#include "agent/capture/poll_pace.h"
#include "agent/model/budget_pressure.h"
#include "agent/outputs/export_chain.h"
#include "agent/run/pipeline/busy_share.h"
#include "agent/run/pipeline/capture_health.h"
#include "agent/run/pipeline/event_source.h"
#include "agent/run/pipeline/prober_talk.h"
#include "agent/run/pipeline/process_usage.h"
#include "agent/run/pipeline/recording.h"
#include "agent/run/pipeline/target_naming.h"
#include "agent/run/pipeline/window_schedule.h"
#include "agent/telemetry/gauges.h"
#include "agent/telemetry/logging.h"

namespace exa {

// The data rings of the BPF programs.
class RecordRing {
 public:
  virtual ~RecordRing() = default;
  // Hands on at most so many records; how many there were.
  virtual std::size_t read(std::size_t at_most, CaptureLoop& loop) = 0;
  // Until there are more, or that long.
  virtual void wait(Duration at_most) = 0;
};

// The clocks of the machine, or of a test that tells the time.
struct Clocks {
  std::function<MonotonicTime()> now = monotonic_now;
  std::function<WallClockOffset()> offset = measure_wall_clock_offset;
  std::function<Duration()> cpu = thread_cpu_time;  // of the capture thread
};

class LiveEvents final : public EventSource {
 public:
  static constexpr std::size_t kRecordsPerTurn = 8192;
  static constexpr Duration kLongestEnd = std::chrono::seconds(10);
  static constexpr Duration kEndWithoutReader = std::chrono::seconds(2);

  struct Parts {
    RecordRing& ring;
    ProberTalk& prober;
    TargetNaming& naming;
    CaptureHealth& health;
    const RequestPipeline& pipeline;
    Recording& recording;
    const ExportChain& outputs;
    SelfGauges& gauges;  // what this source knows of them, as of the latest tick
    OccasionalLog& occasional;
    bool looks = false;  // the prober can look at threads
  };
  LiveEvents(Parts parts, Duration window, WallClockOffset offset, Clocks clocks = {})
      : parts_(parts), schedule_(window), offset_(offset), clocks_(std::move(clocks)) {}

  bool turn(CaptureLoop& loop) override;

  // Set once it has ended in order: until then what was seen is to be exported.
  [[nodiscard]] const std::optional<MonotonicTime>& deadline() const { return deadline_; }

 private:
  void begin(CaptureLoop& loop);
  std::size_t read_ring(CaptureLoop& loop);
  void drain(CaptureLoop& loop);
  void tick(CaptureLoop& loop, MonotonicTime now);
  void end(CaptureLoop& loop);
  void fill_gauges(MonotonicTime now);
  [[nodiscard]] BudgetPressure pressure(MonotonicTime now);
  void tell_failed_recording(MonotonicTime now);

  Parts parts_;
  WindowSchedule schedule_;
  WallClockOffset offset_;
  Clocks clocks_;
  PollPace pace_;
  BusyShare busy_;
  std::optional<MonotonicTime> deadline_;
  bool begun_ = false;
};

}  // namespace exa
