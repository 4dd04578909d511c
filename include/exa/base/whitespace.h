// Blanks and tabs around a text: what header fields have for whitespace (RFC 9110 section 5.6.3).
// Pure.
#pragma once

#include <string_view>

namespace exa {

constexpr bool is_whitespace(char c) {
  return c == ' ' || c == '\t';
}

constexpr std::string_view trimmed(std::string_view text) {
  const char* first = text.data();
  const char* last = first + text.size();
  while (first != last && is_whitespace(*first))
    ++first;
  while (first != last && is_whitespace(last[-1]))
    --last;
  return {first, static_cast<std::size_t>(last - first)};
}

}  // namespace exa
