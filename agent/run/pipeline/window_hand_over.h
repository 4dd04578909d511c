// From the capture thread to the window thread: what the one knows when a window closes goes to the
// other. While publication is behind, windows become one, so that none is lost.
// Capture thread only, owned by the pipeline process. Holds one window besides those of the loop.
#pragma once

#include <optional>

#include "agent/request_pipeline/request_pipeline.h"
#include "agent/run/pipeline/window_loop.h"
#include "agent/run/pipeline/window_sink.h"
#include "agent/telemetry/counters.h"

namespace exa {

class WindowHandOver final : public WindowSink {
 public:
  // gauges: what others than the request pipeline know, as it is when a window closes.
  WindowHandOver(const RequestPipeline& pipeline, const SelfGauges& gauges, Counters& counters,
                 WindowLoop::Publish publish);

  bool take(ClosedWindow window) override;
  // After the last window: all of them are published then, the last perhaps by this thread.
  void finish();

 private:
  [[nodiscard]] SelfGauges gauges_now() const;

  const RequestPipeline& pipeline_;
  const SelfGauges& gauges_;
  Counters& counters_;
  WindowLoop::Publish publish_;
  std::optional<WindowJob> pending_;
  WindowLoop loop_;
};

}  // namespace exa
