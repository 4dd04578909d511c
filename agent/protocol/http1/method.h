// Request methods: RFC 9110 section 9, RFC 5789 and QUERY. Pure, no allocation.
#pragma once

#include <cstddef>
#include <string_view>

#include "exa/model/exchange.h"

namespace exa::http1 {

inline constexpr std::size_t kMaxMethodBytes = 24;

// Capital letters, '-' and '_' make a method that is credible by itself.
constexpr bool is_usual_in_method(char c) {
  return (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

// How many characters at the front may be a method. Other characters of a token are in no method
// that anybody uses, but at the front of other protocols.
constexpr std::size_t method_length(std::string_view bytes) {
  std::size_t length = 0;
  while (length < bytes.size() &&
         (is_usual_in_method(bytes[length]) || (bytes[length] >= 'a' && bytes[length] <= 'z')))
    ++length;
  return length;
}

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

}  // namespace exa::http1
