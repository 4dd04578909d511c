// Whole lines to a descriptor that is not owned: what two exporters write never mixes.
// Any thread.
#pragma once

#include <atomic>
#include <mutex>
#include <string_view>

namespace exa {

class LineOutput {
 public:
  explicit LineOutput(int fd) : fd_(fd) {}
  // False once a write has failed (closed pipe, full disk); later calls return at once.
  // Waits for a reader that is slow: the output is complete or has failed. SIGPIPE must be ignored.
  bool write(std::string_view text);
  // What writing failed with; 0: it did not.
  [[nodiscard]] int error() const { return error_.load(std::memory_order_relaxed); }

 private:
  const int fd_;
  std::mutex mutex_;
  std::atomic<int> error_ = 0;
};

// The descriptor is a terminal and NO_COLOR is not set.
bool colours_wanted(int fd);

}  // namespace exa
