#include "agent/trace/context/jaeger.h"

#include <algorithm>
#include <cstddef>

#include "agent/trace/context/hex_id.h"
#include "exa/base/whitespace.h"

namespace exa {
namespace {

constexpr int kSampled = 1;
constexpr int kDebug = 2;  // implies that it is sampled

// Removes digits from the front of the text.
std::string_view take_digits(std::string_view& text) {
  const auto* end =
      std::ranges::find_if(text, [](char c) { return digit_value(c, HexLetters::kAnyCase) < 0; });
  const auto digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

bool take_colon(std::string_view& text) {
  const bool plain = text.starts_with(':');
  if (!plain && !text.starts_with("%3A") && !text.starts_with("%3a")) return false;
  text.remove_prefix(plain ? 1 : 3);
  return true;
}

}  // namespace

bool read_uber_trace_id(std::string_view value, TraceContext& context) {
  value = trimmed(value);
  if (!read_hex_id(take_digits(value), HexLetters::kAnyCase, context.trace_id)) return false;
  if (!take_colon(value)) return false;
  if (!read_hex_id(take_digits(value), HexLetters::kAnyCase, context.parent)) return false;
  if (!take_colon(value)) return false;
  // No longer of use to anybody, and zero at the root.
  const auto parent_of_parent = take_digits(value);
  if (parent_of_parent.empty() || parent_of_parent.size() > 16) return false;
  if (!take_colon(value)) return false;
  const auto flags = take_digits(value);
  if (flags.empty() || flags.size() > 2 || !value.empty()) return false;
  if ((hex_value(flags.back()) & (kSampled | kDebug)) != 0) context.flags |= kTraceSampled;
  return true;
}

}  // namespace exa
