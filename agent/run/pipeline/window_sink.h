// Who takes the windows that the capture loop closes.
#pragma once

#include "agent/request_pipeline/closed_window.h"

namespace exa {

class WindowSink {
 public:
  virtual ~WindowSink() = default;

  // True: the window has joined the one before, which was still waiting to be published.
  virtual bool take(ClosedWindow window) = 0;
};

}  // namespace exa
