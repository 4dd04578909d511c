#include "agent/telemetry/logging.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <utility>

#include "exa/base/hex.h"

namespace exa {
namespace {

constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warning", "error"};
constexpr std::size_t kLevelColumns = 7;

// gmtime_r and not a local time: the pipeline may not open /etc/localtime.
std::string utc_text(std::chrono::system_clock::time_point time) {
  const std::time_t whole_seconds = std::chrono::system_clock::to_time_t(time);
  const auto since_epoch = time.time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count() % 1000;
  std::tm parts{};
  gmtime_r(&whole_seconds, &parts);
  std::array<char, 40> text{};
  const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  const auto thousandths = std::to_string(1000 + ms).substr(1);
  return std::string(text.data(), length) + "." + thousandths + "Z";
}

std::string json_text(std::string_view text) {
  std::string out;
  for (const char c : escaped(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string json_line(std::string_view time, std::string_view level, std::string_view process,
                      std::string_view text) {
  std::string line;
  line.append(R"({"time":")").append(time).append(R"(","level":")").append(level);
  line.append(R"(","process":")").append(json_text(process));
  return line.append(R"(","text":")").append(json_text(text)).append("\"}\n");
}

std::string text_line(std::string_view time, std::string_view level, std::string_view process,
                      std::string_view text) {
  std::string line;
  line.append(time).append(" ").append(level).append(kLevelColumns - level.size(), ' ');
  return line.append(" ").append(process).append(": ").append(escaped(text)).append("\n");
}

// As far as standard error takes it: there is no place to say that it does not.
void write_whole(std::string_view line) {
  while (!line.empty()) {
    const auto written = ::write(STDERR_FILENO, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    line.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      out += "\\x";
      append_hex(out, byte);
    }
  }
  return out;
}

Log::Log(LogThreshold level, LogFormat format, std::string process_name)
    : level_(level), format_(format), process_name_(std::move(process_name)) {}

void Log::say(LogThreshold level, std::string_view text) const {
  if (level < level_.load(std::memory_order_relaxed)) return;
  const int before = errno;  // who logs may be about to read it
  const auto time = utc_text(std::chrono::system_clock::now());
  const auto name = kLevels.at(static_cast<std::size_t>(level));
  const auto line = format_ == LogFormat::kJson ? json_line(time, name, process_name_, text)
                                                : text_line(time, name, process_name_, text);
  const std::lock_guard lock(mutex_);
  write_whole(line);
  errno = before;
}

void Log::debug(std::string_view text) const {
  say(LogThreshold::kDebug, text);
}
void Log::info(std::string_view text) const {
  say(LogThreshold::kInfo, text);
}
void Log::warn(std::string_view text) const {
  say(LogThreshold::kWarn, text);
}
void Log::error(std::string_view text) const {
  say(LogThreshold::kError, text);
}
void Log::set_level(LogThreshold level) {
  level_.store(level, std::memory_order_relaxed);
}

bool OccasionalLog::warn(std::string_view cause, std::string_view text, MonotonicTime now) {
  std::uint64_t silent = 0;
  {
    const std::lock_guard lock(mutex_);
    auto found = causes_.find(cause);
    if (found == causes_.end())
      found = causes_.try_emplace(causes_.size() < kMaxCauses ? std::string(cause) : "other").first;
    auto& place = found->second;
    if (place.last_said.known() && elapsed(place.last_said, now) < interval_) {
      ++place.silent;
      return false;
    }
    silent = std::exchange(place.silent, 0);
    place.last_said = now;
  }
  log_.warn(silent == 0
                ? std::string(text)
                : std::string(text) + " (" + std::to_string(silent) + " more since the last line)");
  return true;
}

}  // namespace exa
