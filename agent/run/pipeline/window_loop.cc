#include "agent/run/pipeline/window_loop.h"

#include <pthread.h>

namespace exa {

WindowLoop::WindowLoop(Publish publish)
    : thread_([this, publish = std::move(publish)] {
        pthread_setname_np(pthread_self(), "window");
        while (!jobs_.closed_and_empty())
          if (auto job = jobs_.pop_until(std::chrono::steady_clock::now() + std::chrono::hours(1)))
            publish(*job);
      }) {}

void WindowLoop::finish() {
  jobs_.close();
  if (thread_.joinable()) thread_.join();
}

}  // namespace exa
