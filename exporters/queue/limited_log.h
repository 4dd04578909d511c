// A limiter of log lines, so that a backend which is down says so once and not once a request.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string_view>

#include "exa/export/log_sink.h"

namespace exa {

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
