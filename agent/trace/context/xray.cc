#include "agent/trace/context/xray.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "agent/trace/context/hex_id.h"
#include "exa/base/ascii.h"
#include "exa/base/whitespace.h"

namespace exa {
namespace {

constexpr std::size_t kTimeDigits = 8;
constexpr std::size_t kUniqueDigits = 24;

// "1-58406520-a006649127e371903a2de979": together the digits are an id of 128 bits.
bool read_root(std::string_view text, TraceId& id) {
  constexpr std::string_view kVersion = "1-";
  if (text.size() != kVersion.size() + kTimeDigits + 1 + kUniqueDigits) return false;
  if (!text.starts_with(kVersion) || text[kVersion.size() + kTimeDigits] != '-') return false;
  std::array<char, kTimeDigits + kUniqueDigits> digits;
  auto* end = std::ranges::copy(text.substr(kVersion.size(), kTimeDigits), digits.begin()).out;
  std::ranges::copy(text.substr(text.size() - kUniqueDigits), end);
  return read_hex_id({digits.data(), digits.size()}, HexLetters::kAnyCase, id);
}

// '?' asks the receiver to decide.
bool read_sampled(std::string_view text, TraceContext& context) {
  if (text != "0" && text != "1" && text != "?") return false;
  if (text == "1") context.flags |= kTraceSampled;
  return true;
}

// Twice the same name is one too many, as of a whole header.
bool read_field(std::string_view name, std::string_view value, TraceContext& context) {
  if (equals_ignoring_case(name, "root"))
    return !context.trace_id.valid() && read_root(value, context.trace_id);
  if (equals_ignoring_case(name, "parent"))
    return !context.parent.valid() && value.size() == 16 &&
           read_hex_id(value, HexLetters::kAnyCase, context.parent);
  if (equals_ignoring_case(name, "sampled")) return read_sampled(value, context);
  return true;
}

}  // namespace

bool read_amzn_trace_id(std::string_view value, TraceContext& context) {
  value = trimmed(value);
  if (value.empty()) return false;
  while (!value.empty()) {
    const auto semicolon = value.find(';');
    const auto field = trimmed(value.substr(0, semicolon));
    value = semicolon == value.npos ? std::string_view() : value.substr(semicolon + 1);
    if (field.empty()) continue;
    const auto equals = field.find('=');
    if (equals == field.npos ||
        !read_field(trimmed(field.substr(0, equals)), trimmed(field.substr(equals + 1)), context))
      return false;
  }
  return true;
}

}  // namespace exa
