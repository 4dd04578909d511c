// What requests consist of in every version of HTTP: methods (RFC 9110 section 9, RFC 5789 and
// QUERY), what of a target is told, and numbers. Pure, no allocation; views borrow.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>

#include "exa/base/ascii.h"
#include "exa/model/exchange.h"

namespace exa::http {

constexpr Method parse_method(std::string_view token) {
  switch (token.size()) {
    case 3:
      if (token == "GET") return Method::kGet;
      if (token == "PUT") return Method::kPut;
      break;
    case 4:
      if (token == "POST") return Method::kPost;
      if (token == "HEAD") return Method::kHead;
      break;
    case 5:
      if (token == "PATCH") return Method::kPatch;
      if (token == "TRACE") return Method::kTrace;
      if (token == "QUERY") return Method::kQuery;
      break;
    case 6:
      if (token == "DELETE") return Method::kDelete;
      break;
    case 7:
      if (token == "OPTIONS") return Method::kOptions;
      if (token == "CONNECT") return Method::kConnect;
      break;
    default:
      break;
  }
  return Method::kOther;
}

// In the methods that anybody uses; other characters of a token stand at the front of other
// protocols.
constexpr bool is_method_character(char c) {
  return is_letter(c) || c == '-' || c == '_';
}

constexpr bool is_blank_or_control(char c) {
  return static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
}

inline bool has_blank_or_control(std::string_view text) {
  bool has = false;
  for (const char c : text)
    has |= is_blank_or_control(c);
  return has;
}

// What stands in front of the first blank or control character.
inline std::string_view up_to_blank_or_control(std::string_view text) {
  return {text.begin(), std::ranges::find_if(text, is_blank_or_control)};
}

inline std::string_view without_userinfo(std::string_view authority) {
  const auto at = authority.rfind('@');
  return at == authority.npos ? authority : authority.substr(at + 1);
}

inline std::string_view without_query(std::string_view path) {
  const auto end = std::ranges::find_if(path, [](char c) { return c == '?' || c == '#'; });
  return {path.begin(), end};
}

struct Number {
  std::uint64_t value = 0;
  bool valid = false;
};

// Decimal, of a content-length.
inline Number decimal_number(std::string_view text) {
  Number number{.valid = !text.empty()};
  for (const char c : text) {
    if (c < '0' || c > '9' || number.value > (std::numeric_limits<std::int64_t>::max() - 9) / 10)
      return {.value = number.value};
    number.value = number.value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return number;
}

}  // namespace exa::http
