#include "agent/model/valid_text.h"

#include "exa/base/utf8.h"

namespace exa {

std::string valid_text(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const auto lead = static_cast<unsigned char>(text.front());
    const auto length = lead < 0x20 || lead == 0x7f ? 0 : utf8_sequence_bytes(text);
    if (length == 0)
      result += '?';
    else
      result += text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return result;
}

}  // namespace exa
