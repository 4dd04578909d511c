#include "agent/telemetry/logging.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "exa/base/hex.h"
#include "exa/base/utc.h"

namespace exa {
namespace {

spdlog::level::level_enum to_spdlog(LogThreshold level) {
  switch (level) {
    case LogThreshold::kDebug:
      return spdlog::level::debug;
    case LogThreshold::kInfo:
      return spdlog::level::info;
    case LogThreshold::kWarn:
      return spdlog::level::warn;
    case LogThreshold::kError:
      return spdlog::level::err;
    case LogThreshold::kOff:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

std::string json_text(std::string_view text) {
  std::string out;
  for (const char c : escaped(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string time_text(spdlog::log_clock::time_point time) {
  const auto since_epoch = time.time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count() % 1000;
  return fmt::format("{}.{:03}Z", utc_text(spdlog::log_clock::to_time_t(time), "%Y-%m-%dT%H:%M:%S"),
                     ms);
}

class LineFormatter final : public spdlog::formatter {
 public:
  explicit LineFormatter(LogFormat format) : format_(format) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const std::string_view level(spdlog::level::to_string_view(message.level).data(),
                                 spdlog::level::to_string_view(message.level).size());
    const std::string_view name(message.logger_name.data(), message.logger_name.size());
    const std::string_view text(message.payload.data(), message.payload.size());
    const auto time = time_text(message.time);
    const auto line =
        format_ == LogFormat::kJson
            ? fmt::format(
                  "{{\"time\":\"{}\",\"level\":\"{}\",\"process\":\"{}\",\"text\":\"{}\"}}\n", time,
                  level, json_text(name), json_text(text))
            : fmt::format("{} {:<7} {}: {}\n", time, level, name, escaped(text));
    out.append(line.data(), line.data() + line.size());
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LineFormatter>(format_);
  }

 private:
  const LogFormat format_;
};

spdlog::string_view_t as_spdlog(std::string_view text) {
  return {text.data(), text.size()};
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
      append_escaped(out, byte);
    }
  }
  return out;
}

Log::Log(LogThreshold level, LogFormat format, std::string process_name)
    : logger_(std::make_shared<spdlog::logger>(std::move(process_name),
                                               std::make_shared<spdlog::sinks::stderr_sink_mt>())) {
  logger_->set_formatter(std::make_unique<LineFormatter>(format));
  logger_->set_level(to_spdlog(level));
  logger_->flush_on(spdlog::level::trace);
}

void Log::debug(std::string_view text) const {
  logger_->log(spdlog::level::debug, as_spdlog(text));
}
void Log::info(std::string_view text) const {
  logger_->log(spdlog::level::info, as_spdlog(text));
}
void Log::warn(std::string_view text) const {
  logger_->log(spdlog::level::warn, as_spdlog(text));
}
void Log::error(std::string_view text) const {
  logger_->log(spdlog::level::err, as_spdlog(text));
}
void Log::set_level(LogThreshold level) {
  logger_->set_level(to_spdlog(level));
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
