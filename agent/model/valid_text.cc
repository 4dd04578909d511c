#include "agent/model/valid_text.h"

namespace exa {

std::string valid_text(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::size_t length = lead < 0x80                   ? 1
                               : lead >= 0xc2 && lead < 0xe0 ? 2
                               : lead >= 0xe0 && lead < 0xf0 ? 3
                               : lead >= 0xf0 && lead < 0xf5 ? 4
                                                             : 0;
    bool valid = length != 0 && at + length <= text.size() && lead >= 0x20 && lead != 0x7f;
    for (std::size_t i = 1; valid && i < length; ++i)
      valid = (static_cast<unsigned char>(text[at + i]) & 0xc0) == 0x80;
    if (valid && length >= 3) {
      // Overlong forms, surrogates and code points past U+10FFFF show in the second byte.
      const auto second = static_cast<unsigned char>(text[at + 1]);
      valid = !(lead == 0xe0 && second < 0xa0) && !(lead == 0xed && second >= 0xa0) &&
              !(lead == 0xf0 && second < 0x90) && !(lead == 0xf4 && second >= 0x90);
    }
    if (valid) {
      result.append(text, at, length);
      at += length;
    } else {
      result += '?';
      ++at;
    }
  }
  return result;
}

}  // namespace exa
