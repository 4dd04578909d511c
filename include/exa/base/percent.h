// Percent-encoding, as in URLs, in OTEL_* variables and in messages of a status.
#pragma once

#include <string>
#include <string_view>

#include "exa/base/hex.h"

namespace exa {

// What is not encoded right stays as it is.
inline std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
        hex_value(text[i + 2]) >= 0) {
      decoded += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

}  // namespace exa
