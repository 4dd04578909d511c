// Percent-encoding, as in URLs, in OTEL_* variables and in messages of a status.
#pragma once

#include <string>
#include <string_view>

#include "exa/base/ascii.h"
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

// What a URL may have as it is wherever it stands (RFC 3986 section 2.3).
constexpr bool is_unreserved(char c) {
  return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

template <typename IsPlain>
void append_percent_encoded(std::string& to, std::string_view text, const IsPlain& is_plain) {
  for (const char c : text) {
    if (is_plain(c)) {
      to += c;
    } else {
      constexpr std::string_view kDigits = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      to += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
}

}  // namespace exa
