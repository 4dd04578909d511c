// What requests of HTTP say alike in each of its versions. Pure, no allocation.
#pragma once

#include <algorithm>
#include <string_view>

#include "exa/model/exchange.h"

namespace exa {

// RFC 9110 section 9, RFC 5789 and QUERY; case matters.
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

constexpr std::string_view without_query(std::string_view path) {
  const auto end = std::ranges::find_if(path, [](char c) { return c == '?' || c == '#'; });
  return {path.begin(), end};
}

}  // namespace exa
