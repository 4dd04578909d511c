// Ids as hexadecimal digits, of which formats leave out some or allow either case. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "exa/base/hex.h"
#include "exa/model/trace_context.h"

namespace exa {

enum class HexLetters : std::uint8_t { kLowerCase, kAnyCase };

// -1: it is no digit.
constexpr int digit_value(char c, HexLetters letters) {
  const bool upper_case = c >= 'A' && c <= 'F';
  return upper_case && letters == HexLetters::kLowerCase ? -1 : hex_value(c);
}

// False unless text is digits, as many as the id has room for and at least one, of which not all
// are zero. The id is padded on the left.
template <std::size_t Bytes>
constexpr bool read_hex_id(std::string_view text, HexLetters letters, Id<Bytes>& id) {
  if (text.size() > 2 * Bytes) return false;
  id = {};
  auto place = 2 * Bytes - text.size();
  for (const char c : text) {
    const int value = digit_value(c, letters);
    if (value < 0) return false;
    id.bytes[place / 2] |= static_cast<std::uint8_t>(place % 2 == 0 ? value << 4 : value);
    ++place;
  }
  return id.valid();
}

}  // namespace exa
