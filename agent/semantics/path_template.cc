#include "agent/semantics/path_template.h"

#include <algorithm>
#include <cctype>

#include "exa/base/ascii.h"
#include "exa/base/hex.h"
#include "exa/base/percent.h"

namespace exa {
namespace {

enum class Segment { kWord, kNumber, kUuid, kHex, kDate, kToken };

bool is_hex(char c) {
  return hex_value(c) >= 0;
}

bool matches_shape(std::string_view text, std::string_view shape) {  // '#' digit, 'h' hex
  if (text.size() != shape.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool ok = shape[i] == '#'   ? is_digit(text[i])
                    : shape[i] == 'h' ? is_hex(text[i])
                                      : text[i] == shape[i];
    if (!ok) return false;
  }
  return true;
}

// Long words of letters and dashes are slugs and stay; a credential mixes letters with digits.
constexpr std::size_t kTokenBytes = 20;
constexpr std::size_t kHexIdBytes = 8;

Segment classify(std::string_view text) {
  const auto digits = static_cast<std::size_t>(std::ranges::count_if(text, is_digit));
  if (digits == 0 && text.size() < 2 * kTokenBytes) return Segment::kWord;
  if (digits == text.size()) return Segment::kNumber;
  if (matches_shape(text, "####-##-##")) return Segment::kDate;
  if (matches_shape(text, "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh")) return Segment::kUuid;
  if (text.size() >= kHexIdBytes && std::ranges::all_of(text, is_hex))
    return text.size() > 36 ? Segment::kToken : Segment::kHex;
  const auto letters = static_cast<std::size_t>(std::ranges::count_if(text, is_letter));
  if (text.size() >= kTokenBytes && digits >= 3 && letters >= 3) return Segment::kToken;
  if (text.size() >= 2 * kTokenBytes && std::ranges::count(text, '-') < 3) return Segment::kToken;
  // "v1", "oauth2" are words; "order-12345" and "1234_thumb" name one thing among many.
  return digits >= 4 || digits * 2 > text.size() ? Segment::kNumber : Segment::kWord;
}

std::string_view without_parameters(std::string_view segment) {
  return segment.substr(0, segment.find(';'));
}

void append_printable(std::string& to, std::string_view text) {
  append_percent_encoded(to, text, [](char c) { return c > 0x20 && c < 0x7f; });
}

// Braces are ours: what a client puts in them must not look like a placeholder.
void append_word(std::string& to, std::string_view text) {
  append_percent_encoded(to, text,
                         [](char c) { return c > 0x20 && c < 0x7f && c != '{' && c != '}'; });
}

// Calls visit(segment, is_last) for each text between slashes; the slashes are the caller's.
template <typename Visit>
void for_each_segment(std::string_view path, Visit visit) {
  std::size_t at = 0;
  while (true) {
    const auto slash = path.find('/', at);
    const bool last = slash == std::string_view::npos;
    visit(without_parameters(path.substr(at, last ? path.npos : slash - at)), last);
    if (last) return;
    at = slash + 1;
  }
}

}  // namespace

std::string path_template(std::string_view path, bool cut) {
  if (path.empty() || path.front() != '/') return std::string(path == "*" ? "*" : "");
  std::string result;
  int kept = 0;
  for_each_segment(path.substr(1), [&](std::string_view segment, bool last) {
    if (kept > kMaxTemplateSegments) return;
    result += '/';
    if (kept++ == kMaxTemplateSegments || (last && cut)) {
      result += "{rest}";
      return;
    }
    switch (classify(segment)) {
      case Segment::kWord:
        append_word(result, segment);
        return;
      case Segment::kDate:
        result += "{date}";
        return;
      case Segment::kToken:
        result += "{token}";
        return;
      default:
        result += "{id}";
        return;
    }
  });
  return result;
}

std::string presentable_path(std::string_view path) {
  std::string result;
  for_each_segment(path, [&](std::string_view segment, bool last) {
    if (classify(segment) == Segment::kToken)
      result += "{token}";
    else
      append_printable(result, segment);
    if (!last) result += '/';
  });
  return result;
}

}  // namespace exa
