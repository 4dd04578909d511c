// Whole lines to a descriptor that is not owned: what two exporters write never mixes.
// Any thread.
#pragma once

#include <mutex>
#include <string_view>

namespace exa {

class LineOutput {
 public:
  explicit LineOutput(int fd) : fd_(fd) {}
  // False once a write has failed (closed pipe, full disk); later calls return at once.
  // Waits for a reader that is slow: the output is complete or has failed. SIGPIPE must be ignored.
  bool write(std::string_view text);

 private:
  const int fd_;
  std::mutex mutex_;
  bool failed_ = false;
};

// The descriptor is a terminal and NO_COLOR is not set.
bool colours_wanted(int fd);

}  // namespace exa
