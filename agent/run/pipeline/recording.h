// The record file of a run, if one was asked for: everything that enters the request pipeline.
// Without a file, and once it could not be written any more, it swallows what it is told.
// Capture thread only. Owned by the pipeline process. 64 KiB of buffer.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "agent/capture/event_log.h"
#include "agent/model/siphash.h"
#include "exa/base/result.h"
#include "exa/base/time.h"
#include "exa/base/unique_fd.h"

namespace exa {

class Recording {
 public:
  Recording() = default;
  // file: not valid where nothing is to be recorded. policies: those of the start, as text, so that
  // a replay begins with them, whatever its own configuration says.
  static Result<Recording> begin(UniqueFd file, const HashKey& seed, WallClockOffset offset,
                                 std::string_view policies);

  [[nodiscard]] bool goes_on() const { return log_.has_value(); }
  void record(std::span<const std::byte> record) {
    if (log_) log_->ring_record(record);
  }
  void target(std::span<const std::byte> message) {
    if (log_) log_->target_message(message);
  }
  void clock_offset(WallClockOffset offset) {
    if (log_) log_->clock_offset(offset);
  }
  void tick(MonotonicTime time) {
    if (log_) log_->window_tick(time);
  }
  void policies(std::string_view text) {
    if (log_) log_->policies(text);
  }
  void pressure(std::uint8_t bits) {
    if (log_) log_->pressure(bits);
  }
  void merged() {
    if (log_) log_->window_merged();
  }

  // Writes what is buffered. Why there is no recording any more, if that is so.
  std::optional<std::string> flush();

 private:
  std::optional<EventLogWriter> log_;
};

}  // namespace exa
