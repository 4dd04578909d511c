// Retry-After (RFC 9110 section 10.2.3): seconds, or a date in the three HTTP forms. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "exa/base/time.h"

namespace exa {

inline constexpr std::chrono::seconds kLongestRetryAfter{300};

// Clamped to [0, kLongestRetryAfter]; a date in the past is 0. nullopt: negative or garbage, as if
// the header were not there.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, WallTime now);

}  // namespace exa
