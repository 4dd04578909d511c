// How an exporter speaks to the operator, without knowing a logging library: one callback, and a
// limiter so that a backend which is down says so once and not once a request.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string_view>

namespace exa {

enum class LogLevel : std::uint8_t { kInfo, kWarning, kError };

// Called from exporter threads; must be safe to call from several at once. May be empty.
using LogSink = std::function<void(LogLevel, std::string_view)>;

// What a line is about. One slot of the limiter each.
enum class LogCause : std::uint8_t {
  kUnreachable,
  kRetryStatus,
  kRefused,
  kRejected,
  kBadReply,
  kTooLarge,
  kQueueFull,
  kExpired,
  kShutdown,
  kRecovered,
  kWriteFailed,
  kCount,
};

// At most one line a cause in kSilence. Any thread.
class LimitedLog {
 public:
  static constexpr std::chrono::seconds kSilence{30};
  explicit LimitedLog(LogSink sink) : sink_(std::move(sink)) {}

  // True if the line went out.
  bool say(LogCause cause, LogLevel level, std::string_view text,
           std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now());

 private:
  struct Slot {
    bool spoken = false;
    std::chrono::steady_clock::time_point last;
    std::uint64_t suppressed = 0;
  };
  LogSink sink_;
  std::mutex mutex_;
  std::array<Slot, static_cast<std::size_t>(LogCause::kCount)> slots_{};
};

}  // namespace exa
