// The agent's own log: one line an event on standard error, as text or JSON, time in UTC.
// Any thread. One object a process, made by the composing layer and lent to who needs it. Hostile
// text (names of processes, replies of backends) is made printable here, in one place.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "exa/base/time.h"

namespace spdlog {
class logger;
}

namespace exa {

enum class LogThreshold : std::uint8_t { kDebug, kInfo, kWarn, kError, kOff };
enum class LogFormat : std::uint8_t { kText, kJson };

class Log {
 public:
  // process_name tells the two processes apart: "exemplar-agent", "exemplar-agent/pipeline".
  Log(LogThreshold level, LogFormat format, std::string process_name);

  void debug(std::string_view text) const;
  void info(std::string_view text) const;
  void warn(std::string_view text) const;
  void error(std::string_view text) const;
  void set_level(LogThreshold level);

 private:
  std::shared_ptr<spdlog::logger> logger_;
};

// Text with control bytes and bytes over 0x7e written as \xNN.
std::string escaped(std::string_view text);

// Says the same complaint at most once an interval and cause, with how often it was silent.
// Any thread. Holds at most kMaxCauses causes; further ones share one place.
class OccasionalLog {
 public:
  static constexpr std::size_t kMaxCauses = 64;

  explicit OccasionalLog(const Log& log, Duration interval = std::chrono::seconds(30))
      : log_(log), interval_(interval) {}

  // True if the line was written.
  bool warn(std::string_view cause, std::string_view text, MonotonicTime now);

 private:
  struct Cause {
    MonotonicTime last_said;
    std::uint64_t silent = 0;
  };
  const Log& log_;
  const Duration interval_;
  std::mutex mutex_;
  std::map<std::string, Cause, std::less<>> causes_;
};

}  // namespace exa
