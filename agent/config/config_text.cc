#include "agent/config/config_text.h"

#include "exa/base/hex.h"
#include "exa/base/utf8.h"

namespace exa {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool has_foreign_byte_order_mark(std::string_view text) {
  using namespace std::string_view_literals;
  return text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff") ||
         text.starts_with("\0\0\xfe\xff"sv);
}

// What is wrong with the character at the front; empty if nothing is.
std::string wrong_with(std::string_view text) {
  const auto byte = static_cast<unsigned char>(text[0]);
  if (byte == 0) return "a NUL byte: the file is damaged, or not UTF-8";
  const bool control =
      (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f;
  if (control) {
    std::string wrong = "a control character (0x";
    append_hex(wrong, byte);
    return wrong + ")";
  }
  return utf8_sequence_bytes(text) == 0 ? "not valid UTF-8" : "";
}

}  // namespace

std::string_view without_byte_order_mark(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return text;
}

std::optional<TextProblem> problem_of_text(std::string_view text) {
  if (has_foreign_byte_order_mark(text))
    return TextProblem{.text = "this is UTF-16 or UTF-32; expected UTF-8"};
  text = without_byte_order_mark(text);
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return TextProblem{.text = "the file is empty; for the defaults write {}"};
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
    text.remove_prefix(utf8_sequence_bytes(text));
  }
  return std::nullopt;
}

}  // namespace exa
