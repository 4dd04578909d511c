#include "agent/model/clean_text.h"

#include <algorithm>

#include "exa/base/utf8.h"

namespace exa {
std::string clean_text(std::string_view text, std::size_t max_bytes) {
  std::string out;
  while (!text.empty()) {
    const auto length = utf8_sequence_bytes(text);
    const bool control =
        length == 1 && (static_cast<unsigned char>(text[0]) < 0x20 || text[0] == 0x7f);
    const auto piece = length == 0 || control ? std::string_view("?") : text.substr(0, length);
    if (out.size() + piece.size() > max_bytes) break;
    out += piece;
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

}  // namespace exa
