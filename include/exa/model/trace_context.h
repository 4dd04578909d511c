// Trace and span identity (W3C Trace Context Level 2). An all-zero id is invalid and stands for
// "none".
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "exa/base/hex.h"

namespace exa {

template <std::size_t Bytes>
struct Id {
  std::array<std::uint8_t, Bytes> bytes{};
  [[nodiscard]] constexpr bool valid() const {
    for (const auto byte : bytes)
      if (byte != 0) return true;
    return false;
  }
  constexpr auto operator<=>(const Id&) const = default;
};
using TraceId = Id<16>;
using SpanId = Id<8>;

// Lower-case hex, zero-padded, always 2 characters a byte.
template <std::size_t Bytes>
std::string to_hex(const Id<Bytes>& id) {
  std::string text;
  text.reserve(Bytes * 2);
  for (const auto byte : id.bytes)
    append_hex(text, byte);
  return text;
}

enum TraceFlags : std::uint8_t { kTraceSampled = 1, kTraceRandom = 2 };

// What a request carried. parent is the caller's span id.
struct TraceContext {
  TraceId trace_id;
  SpanId parent;
  std::uint8_t flags = 0;
  [[nodiscard]] bool valid() const { return trace_id.valid() && parent.valid(); }
};

}  // namespace exa
