// Whole prints to a descriptor that is not owned: what two exporters print never mixes.
// Any thread. SIGPIPE must be ignored.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>

namespace exa {

// What became of one print.
enum class Printed { kWritten, kWaiting, kLost };

class LineOutput {
 public:
  using Clock = std::chrono::steady_clock;
  // Called exactly once, maybe from another thread and with a lock held: whether all was written.
  using Settled = std::function<void(bool written)>;

  virtual ~LineOutput() = default;
  // Waits for the print's fate until the deadline at most, where it may wait at all.
  virtual Printed write(std::string text, Settled settled = {},
                        Clock::time_point deadline = Clock::time_point::min()) = 0;
  // A picture of now: a newer one may take the place of one that nobody has seen anything of.
  virtual void draw(std::string frame) = 0;
  // What writing failed with; ETIMEDOUT: the reader did not take all in time. 0: nothing was lost.
  [[nodiscard]] virtual int error() const = 0;
  // Writes what waits until the deadline. Idempotent; whatever is printed later is lost.
  virtual void shutdown(Clock::time_point deadline) = 0;
};

// Waits for a reader that is slow, for ever: the output is complete or has failed.
class WaitingOutput final : public LineOutput {
 public:
  explicit WaitingOutput(int fd) : fd_(fd) {}
  Printed write(std::string text, Settled settled = {},
                Clock::time_point deadline = Clock::time_point::min()) override;
  void draw(std::string frame) override { write(std::move(frame)); }
  [[nodiscard]] int error() const override { return error_.load(std::memory_order_relaxed); }
  void shutdown(Clock::time_point) override {}

 private:
  const int fd_;
  std::mutex mutex_;
  std::atomic<int> error_ = 0;  // after it nothing is written any more
};

// The descriptor is a terminal and NO_COLOR is not set.
bool colours_wanted(int fd);

}  // namespace exa
