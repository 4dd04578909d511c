// Optional whitespace of header fields (RFC 9110 section 5.6.3).
#pragma once

#include <string_view>

namespace exa {

constexpr bool is_whitespace(char c) {
  return c == ' ' || c == '\t';
}

constexpr std::string_view trim_whitespace(std::string_view text) {
  while (!text.empty() && is_whitespace(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_whitespace(text.back()))
    text.remove_suffix(1);
  return text;
}

}  // namespace exa
