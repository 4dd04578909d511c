// The window thread: takes closed windows from the capture thread and publishes them. Never the
// other way round: capture does not wait for a backend.
#pragma once

#include <functional>
#include <thread>

#include "agent/request_pipeline/closed_window.h"
#include "agent/telemetry/self_metrics.h"
#include "exa/base/bounded_queue.h"

namespace exa {

// A window with what the capture thread knew when it closed.
struct WindowJob {
  ClosedWindow window;
  SelfGauges gauges;
};

class WindowLoop {
 public:
  static constexpr std::size_t kQueuedWindows = 2;

  using Publish = std::function<void(WindowJob&)>;
  explicit WindowLoop(Publish publish);
  ~WindowLoop() { finish(); }

  // Capture thread. False, and the job untouched, while publication is behind.
  [[nodiscard]] bool push(WindowJob&& job) { return jobs_.push(std::move(job)); }
  // Publishes what is queued, then ends the thread.
  void finish();

 private:
  BoundedQueue<WindowJob> jobs_{kQueuedWindows};
  std::thread thread_;
};

}  // namespace exa
