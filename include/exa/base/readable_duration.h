// Durations for people. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>

#include "exa/base/time.h"

namespace exa {

// Three digits that count, in the unit that suits: "870 us", "1.23 ms", "208 ms", "4.56 s".
inline std::string readable_duration(double seconds) {
  const auto formatted = [](const char* format, double value) {
    std::array<char, 32> text;
    std::snprintf(text.data(), text.size(), format, value);
    return std::string(text.data());
  };
  // As they are rounded: 9.999 ms is 10.0 ms.
  if (seconds < 0.9995e-3) return formatted("%.0f us", seconds * 1e6);
  if (seconds < 9.995e-3) return formatted("%.2f ms", seconds * 1e3);
  if (seconds < 99.95e-3) return formatted("%.1f ms", seconds * 1e3);
  if (seconds < 0.9995) return formatted("%.0f ms", seconds * 1e3);
  if (seconds < 9.995) return formatted("%.2f s", seconds);
  return formatted(seconds < 99.95 ? "%.1f s" : "%.0f s", seconds);
}
inline std::string readable_duration(std::uint64_t ns) {
  return readable_duration(seconds_of(ns));
}

// In whole seconds, minutes or hours, for ages: "110 s", "5 min".
inline std::string readable_age(std::uint64_t from_ms, std::uint64_t to_ms) {
  const auto seconds = to_ms > from_ms ? (to_ms - from_ms) / 1000 : 0;
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 7200) return std::to_string(seconds / 60) + " min";
  return std::to_string(seconds / 3600) + " h";
}

}  // namespace exa
