// How an exporter speaks to the operator, without knowing a logging library.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace exa {

enum class LogLevel : std::uint8_t { kInfo, kWarning, kError };

// Called from exporter threads; must be safe to call from several at once. May be empty.
using LogSink = std::function<void(LogLevel, std::string_view)>;

}  // namespace exa
