// Request methods: RFC 9110 section 9, RFC 5789 and QUERY. Pure, no allocation.
#pragma once

#include <cstddef>
#include <string_view>

#include "exa/model/exchange.h"

namespace exa::http1 {

inline constexpr std::size_t kMaxMethodBytes = 24;

// How many characters at the front may be a method: capital letters, '-' and '_', as servers take
// them.
constexpr std::size_t method_length(std::string_view bytes) {
  std::size_t length = 0;
  while (length < bytes.size() && ((bytes[length] >= 'A' && bytes[length] <= 'Z') ||
                                   bytes[length] == '-' || bytes[length] == '_'))
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
