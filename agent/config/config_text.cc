#include "agent/config/config_text.h"

namespace exa {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool has_foreign_byte_order_mark(std::string_view text) {
  using namespace std::string_view_literals;
  return text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff") ||
         text.starts_with("\0\0\xfe\xff"sv);
}

// Length of the valid UTF-8 sequence at the front, 0 if there is none.
std::size_t sequence_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto lead = at(0);
  std::size_t length = 0;
  if (lead < 0x80) length = 1;
  if (lead >= 0xc2 && lead < 0xe0) length = 2;
  if (lead >= 0xe0 && lead < 0xf0) length = 3;
  if (lead >= 0xf0 && lead < 0xf5) length = 4;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((at(i) & 0xc0) != 0x80) return 0;
  // Overlong forms, surrogates and code points past U+10FFFF show in the second byte.
  const bool out_of_range = (lead == 0xe0 && at(1) < 0xa0) || (lead == 0xed && at(1) >= 0xa0) ||
                            (lead == 0xf0 && at(1) < 0x90) || (lead == 0xf4 && at(1) >= 0x90);
  return out_of_range ? 0 : length;
}

// What is wrong with the character at the front; empty if nothing is.
std::string wrong_with(std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(text[0]);
  if (byte == 0) return "a NUL byte: the file is damaged, or not UTF-8";
  const bool control =
      (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f;
  if (control)
    return std::string("a control character (0x") + kDigits[byte >> 4] + kDigits[byte & 15] + ")";
  return sequence_length(text) == 0 ? "not valid UTF-8" : "";
}

}  // namespace

std::string_view without_byte_order_mark(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return text;
}

std::optional<TextProblem> problem_of_text(std::string_view text) {
  if (has_foreign_byte_order_mark(text))
    return TextProblem{.text = "this is UTF-16 or UTF-32; UTF-8 is expected"};
  text = without_byte_order_mark(text);
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return TextProblem{.text = "the file is empty; write {} if the defaults are meant"};
  TextProblem place;
  while (!text.empty()) {
    place.text = wrong_with(text);
    if (!place.text.empty()) return place;
    if (text[0] == '\n') {
      ++place.line;
      place.column = 1;
    } else {
      ++place.column;
    }
    text.remove_prefix(sequence_length(text));
  }
  return std::nullopt;
}

}  // namespace exa
