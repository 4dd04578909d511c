#include "agent/trace/context/datadog.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "agent/trace/context/hex_id.h"
#include "exa/base/whitespace.h"

namespace exa {
namespace {

constexpr std::size_t kHalf = 8;  // bytes of a trace id
constexpr std::string_view kUpperHalf = "_dd.p.tid=";

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
  text = trimmed(text);
  Number number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

void put(std::uint64_t number, std::uint8_t* bytes) {
  for (int shift = 56; shift >= 0; shift -= 8)
    *bytes++ = static_cast<std::uint8_t>(number >> shift);
}

}  // namespace

bool read_datadog_trace_id(std::string_view value, TraceContext& context) {
  const auto number = number_of<std::uint64_t>(value);
  if (!number || *number == 0) return false;
  put(*number, context.trace_id.bytes.data() + kHalf);
  return true;
}

bool read_datadog_parent_id(std::string_view value, TraceContext& context) {
  const auto number = number_of<std::uint64_t>(value);
  if (!number) return false;
  put(*number, context.parent.bytes.data());
  return true;
}

bool read_datadog_sampling_priority(std::string_view value, TraceContext& context) {
  const auto priority = number_of<int>(value);
  if (!priority) return false;
  if (*priority > 0) context.flags |= kTraceSampled;
  return true;
}

bool read_datadog_tags(std::string_view value, TraceContext& context) {
  bool found = false;
  while (!value.empty()) {
    const auto comma = value.find(',');
    const auto tag = trimmed(value.substr(0, comma));
    value = comma == value.npos ? std::string_view() : value.substr(comma + 1);
    if (!tag.starts_with(kUpperHalf)) continue;
    Id<kHalf> half;
    if (found || tag.size() != kUpperHalf.size() + 2 * kHalf ||
        !read_hex_id(tag.substr(kUpperHalf.size()), HexLetters::kLowerCase, half))
      return false;
    found = true;
    std::ranges::copy(half.bytes, context.trace_id.bytes.begin());
  }
  return true;
}

}  // namespace exa
