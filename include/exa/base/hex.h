// Hexadecimal digits. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace exa {

// Lower case, of the lowest four bits.
constexpr char hex_digit(std::uint64_t value) {
  return "0123456789abcdef"[value & 15];
}

// Two digits.
inline void append_hex(std::string& text, std::uint8_t byte) {
  text += hex_digit(byte >> 4);
  text += hex_digit(byte);
}

// "\xNN", for what is not to be shown as it is.
inline void append_escaped(std::string& text, std::uint8_t byte) {
  text += "\\x";
  append_hex(text, byte);
}

// Of a digit in either case; -1 of any other character.
constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Lower-case digits and nothing else.
constexpr bool is_lower_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace exa
