#include "exporters/console/safe_text.h"

#include <cstdint>

#include "exporters/encoding/utf8.h"

namespace exa {
namespace {

void append_escape(std::string& out, char c) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const auto byte = static_cast<std::uint8_t>(c);
  out += "\\x";
  out += kDigits[byte >> 4];
  out += kDigits[byte & 15];
}

// Zero width and direction marks are no danger to the terminal, but they make one text look like
// another: U+200B..U+200F, U+2028..U+202E, U+2060..U+206F, U+FEFF.
bool deceives(std::string_view sequence) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(sequence[i]); };
  if (sequence.size() == 2) return byte(0) == 0xc2 && byte(1) < 0xa0;  // C1 controls
  if (sequence.size() != 3) return false;
  if (byte(0) == 0xef) return byte(1) == 0xbb && byte(2) == 0xbf;
  if (byte(0) != 0xe2) return false;
  if (byte(1) == 0x80)
    return (byte(2) >= 0x8b && byte(2) <= 0x8f) || (byte(2) >= 0xa8 && byte(2) <= 0xae);
  return byte(1) == 0x81 && byte(2) >= 0xa0 && byte(2) <= 0xaf;
}

}  // namespace

std::string terminal_safe(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_sequence_bytes(text);
    const std::string_view sequence = text.substr(0, length == 0 ? 1 : length);
    const auto lead = static_cast<std::uint8_t>(sequence[0]);
    if (length == 0 || lead < 0x20 || lead == 0x7f || deceives(sequence))
      for (const char c : sequence)
        append_escape(safe, c);
    else
      safe += sequence;
    text.remove_prefix(sequence.size());
  }
  return safe;
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  for (const char c : text)
    if ((static_cast<std::uint8_t>(c) & 0xc0) != 0x80) ++columns;
  return columns;
}

std::string fitted(std::string_view text, std::size_t columns) {
  if (columns_of(text) <= columns) return std::string(text);
  std::string cut;
  std::size_t taken = 0;
  while (!text.empty() && taken + 1 < columns) {
    const std::size_t length = std::max<std::size_t>(utf8_sequence_bytes(text), 1);
    cut += text.substr(0, length);
    text.remove_prefix(length);
    ++taken;
  }
  return cut + "…";
}

}  // namespace exa
