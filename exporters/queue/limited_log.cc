#include "exporters/queue/limited_log.h"

#include <string>

namespace exa {

bool LimitedLog::say(LogCause cause, LogLevel level, std::string_view text,
                     std::chrono::steady_clock::time_point now) {
  std::string line(text);
  {
    const std::lock_guard lock(mutex_);
    Slot& slot = slots_[static_cast<std::size_t>(cause)];
    if (slot.spoken && now - slot.last < kSilence) {
      ++slot.suppressed;
      return false;
    }
    if (slot.suppressed != 0)
      line += " (" + std::to_string(slot.suppressed) + " more since the last such line)";
    slot = {.spoken = true, .last = now, .suppressed = 0};
  }
  if (sink_) sink_(level, line);
  return true;
}

}  // namespace exa
