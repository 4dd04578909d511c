// Gzip of a whole text, for request and reply bodies. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace exa {

// At zlib's fastest level: telemetry is repetitive, and the agent's CPU is worth more than the
// last percent. nullopt only without memory.
std::optional<std::string> gzip(std::string_view text);

}  // namespace exa
