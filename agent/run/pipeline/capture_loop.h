// What enters the request pipeline, in the one order that a run and its replay share: a source
// hands events on, they are recorded and applied, and each tick closes a window.
// Capture thread only. Owned by the pipeline process or the replay. Holds nothing of its own; the
// call of a record is not virtual.
#pragma once

#include <cstddef>
#include <span>

#include "agent/request_pipeline/request_pipeline.h"
#include "agent/run/pipeline/event_source.h"
#include "agent/run/pipeline/recording.h"
#include "agent/run/pipeline/window_sink.h"

namespace exa {

class CaptureLoop {
 public:
  CaptureLoop(RequestPipeline& pipeline, WindowSink& windows, Recording& recording)
      : pipeline_(pipeline), windows_(windows), recording_(recording) {}

  // Until the source ends.
  void run(EventSource& source) {
    while (source.turn(*this)) {
    }
  }

  // What a source hands on.
  void on_record(std::span<const std::byte> record) {
    recording_.record(record);
    pipeline_.on_record(record);
  }
  // Whom a source may look at, see RequestPipeline.
  [[nodiscard]] std::span<const std::uint32_t> slow_threads(MonotonicTime now) {
    return pipeline_.slow_threads(now);
  }
  void on_target(const Target& target);
  void on_policies(const PolicySettings& policies);
  void on_clock_offset(WallClockOffset offset);
  // Before the tick that closes the window in which it was felt.
  void on_pressure(BudgetPressure pressure);
  // The first one begins the first window, each further one closes one.
  void on_tick(MonotonicTime time);
  // The last tick: nothing waits any longer, and the last window closes.
  void on_end(MonotonicTime time);

 private:
  void close_window(MonotonicTime time, bool last = false);

  RequestPipeline& pipeline_;
  WindowSink& windows_;
  Recording& recording_;
  bool begun_ = false;
};

}  // namespace exa
