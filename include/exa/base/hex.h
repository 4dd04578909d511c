// Hexadecimal digits. Pure.
#pragma once

#include <cstdint>
#include <string>

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

// Of a digit in either case; -1 of any other character.
constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace exa
