// What the running agent tells through its files, for the verbs that ask it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "exa/base/result.h"

namespace exa {

struct Config;

inline constexpr std::size_t kMaxToldBytes = 64u << 20;

// For people, or for programs.
enum class ToldForm : std::uint8_t { kText, kJson };

struct ToldByAgent {
  std::string windows;  // JSON of what it counted, and what explains the last window; may be empty
  std::string processes;  // JSON of what it found in each; may be empty
};

// An error says what to do.
Result<ToldByAgent> told_by_agent(const Config& config);

}  // namespace exa
