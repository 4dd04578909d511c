// A URL taken apart as libcurl will read it. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "exa/base/result.h"

namespace exa {

struct UrlParts {
  std::string url;      // what is requested: as given, without a fragment
  std::string display;  // for log lines: no userinfo, no query
  std::string host;     // an IPv6 address in its brackets
  std::uint16_t port = 0;
};

// Of an http or https URL. The error says what is wrong and never repeats the text, which may hold
// a password.
Result<UrlParts> url_parts(const std::string& text);

}  // namespace exa
