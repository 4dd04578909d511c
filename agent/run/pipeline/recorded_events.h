// The events of a record file, for a replay, and the windows that they give.
// One thread, without a clock. One frame and one window in memory.
#pragma once

#include <functional>
#include <optional>

#include "agent/capture/event_log.h"
#include "agent/run/pipeline/event_source.h"
#include "agent/run/pipeline/window_sink.h"
#include "exa/base/result.h"

namespace exa {

// A window waits until the next one closes, since that may have joined it.
class ReplayedWindows final : public WindowSink {
 public:
  using Publish = std::function<void(const ClosedWindow&)>;
  explicit ReplayedWindows(Publish publish) : publish_(std::move(publish)) {}

  // The next window had joined the one that waits.
  void join_next() { join_next_ = true; }
  bool take(ClosedWindow window) override;
  // After the last window.
  void finish();

 private:
  Publish publish_;
  std::optional<ClosedWindow> waiting_;
  bool join_next_ = false;
};

class RecordedEvents final : public EventSource {
 public:
  RecordedEvents(EventLogReader& log, ReplayedWindows& windows) : log_(log), windows_(windows) {}

  bool turn(CaptureLoop& loop) override;
  // Once it has ended: whether the file was one to its end.
  [[nodiscard]] const Result<>& outcome() const { return outcome_; }

 private:
  Result<> apply(const Frame& frame, CaptureLoop& loop);

  EventLogReader& log_;
  ReplayedWindows& windows_;
  std::optional<MonotonicTime> tick_;  // read, and not told: it may be the last
  Result<> outcome_;
};

}  // namespace exa
