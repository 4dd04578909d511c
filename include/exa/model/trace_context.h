// Trace and span identity (W3C Trace Context Level 2). An all-zero id is invalid and stands for
// "none".
#pragma once

#include <array>
#include <cstdint>
#include <string>

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
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text(Bytes * 2, '0');
  for (std::size_t i = 0; i < Bytes; ++i) {
    text[2 * i] = kDigits[id.bytes[i] >> 4];
    text[2 * i + 1] = kDigits[id.bytes[i] & 15];
  }
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
