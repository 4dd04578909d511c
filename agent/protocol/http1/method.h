// Where a method ends and what may be one, in text. Pure, no allocation.
#pragma once

#include <cstddef>
#include <string_view>

#include "agent/protocol/http_words.h"

namespace exa::http1 {

inline constexpr std::size_t kMaxMethodBytes = 24;

// Capital letters, '-' and '_' make a method that is credible by itself.
constexpr bool is_usual_in_method(char c) {
  return (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

// How many characters at the front may be a method.
constexpr std::size_t method_length(std::string_view bytes) {
  std::size_t length = 0;
  while (length < bytes.size() && http::is_method_character(bytes[length]))
    ++length;
  return length;
}

using http::parse_method;

}  // namespace exa::http1
