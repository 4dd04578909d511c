// Where the events of a run come from: the rings and what the prober says, or a recording.
#pragma once

namespace exa {

class CaptureLoop;

class EventSource {
 public:
  virtual ~EventSource() = default;

  // Hands on what there is by now, in order; waits for a bounded time where there is nothing.
  // False: that was the end, which the loop has been told if it was an orderly one.
  virtual bool turn(CaptureLoop& loop) = 0;
};

}  // namespace exa
