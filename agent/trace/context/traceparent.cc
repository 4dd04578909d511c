#include "agent/trace/context/traceparent.h"

#include <array>

#include "exa/base/whitespace.h"

namespace exa {
namespace {

constexpr std::uint8_t kNotHex = 0xff;

// Lower case only: upper-case digits are invalid in both headers.
constexpr auto kDigitValue = [] {
  std::array<std::uint8_t, 256> table{};
  table.fill(kNotHex);
  for (int i = 0; i < 10; ++i)
    table['0' + i] = static_cast<std::uint8_t>(i);
  for (int i = 0; i < 6; ++i)
    table['a' + i] = static_cast<std::uint8_t>(10 + i);
  return table;
}();

std::uint8_t lower_hex_value(char c) {
  return kDigitValue[static_cast<unsigned char>(c)];
}

// Exactly Bytes * 2 digits from the front of text, which the caller has checked to be there.
template <std::size_t Bytes>
bool read_hex(std::string_view text, std::array<std::uint8_t, Bytes>& bytes) {
  std::uint8_t wrong = 0;
  for (std::size_t i = 0; i < Bytes; ++i) {
    const auto high = lower_hex_value(text[2 * i]);
    const auto low = lower_hex_value(text[2 * i + 1]);
    wrong |= high | low;
    bytes[i] = static_cast<std::uint8_t>(high << 4 | (low & 15));
  }
  return (wrong & 0xf0) == 0;
}

constexpr std::size_t kVersionAt = 0;
constexpr std::size_t kTraceIdAt = 3;
constexpr std::size_t kParentAt = 36;
constexpr std::size_t kFlagsAt = 53;

constexpr std::size_t kMaxKeyBytes = 256;
constexpr std::size_t kMaxValueBytes = 256;

bool is_key(std::string_view key) {
  const auto is_first = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (key.empty() || key.size() > kMaxKeyBytes || !is_first(key.front())) return false;
  for (const char c : key)
    if (!is_first(c) && c != '_' && c != '-' && c != '*' && c != '/' && c != '@') return false;
  return true;
}

bool is_value(std::string_view value) {
  if (value.empty() || value.size() > kMaxValueBytes) return false;
  for (const char c : value)
    if (c < 0x20 || c > 0x7e || c == '=') return false;
  return true;
}

// Sub-key rv of OpenTelemetry's member "ot": "th:8;rv:0123456789abcd".
std::optional<std::uint64_t> randomness_of(std::string_view value) {
  while (!value.empty()) {
    const auto semicolon = value.find(';');
    const auto pair = value.substr(0, semicolon);
    value = semicolon == value.npos ? std::string_view() : value.substr(semicolon + 1);
    if (!pair.starts_with("rv:")) continue;
    std::array<std::uint8_t, 7> bytes;
    if (pair.size() != 3 + 14 || !read_hex(pair.substr(3), bytes)) return std::nullopt;
    std::uint64_t randomness = 0;
    for (const auto byte : bytes)
      randomness = randomness << 8 | byte;
    return randomness;
  }
  return std::nullopt;
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view value) {
  value = trimmed(value);
  if (value.size() < kTraceparentBytes) return std::nullopt;
  if (value[kTraceIdAt - 1] != '-' || value[kParentAt - 1] != '-' || value[kFlagsAt - 1] != '-')
    return std::nullopt;

  std::array<std::uint8_t, 1> version;
  std::array<std::uint8_t, 1> flags;
  TraceContext context;
  if (!read_hex(value.substr(kVersionAt), version) || version[0] == 0xff ||
      !read_hex(value.substr(kTraceIdAt), context.trace_id.bytes) ||
      !read_hex(value.substr(kParentAt), context.parent.bytes) ||
      !read_hex(value.substr(kFlagsAt), flags))
    return std::nullopt;
  if (value.size() > kTraceparentBytes && (version[0] == 0 || value[kTraceparentBytes] != '-'))
    return std::nullopt;
  if (!context.valid()) return std::nullopt;
  context.flags = flags[0];
  return context;
}

bool read_traceparent(std::string_view value, TraceContext& context) {
  const auto parsed = parse_traceparent(value);
  if (parsed) context = *parsed;
  return parsed.has_value();
}

void TracestateReader::read(std::string_view value) {
  while (valid_) {
    const auto comma = value.find(',');
    const auto member = trimmed(value.substr(0, comma));
    // Empty members are allowed and count for nothing.
    if (!member.empty() && (++members_ > kMaxTracestateMembers || !read_member(member)))
      valid_ = false;
    if (comma == value.npos) return;
    value.remove_prefix(comma + 1);
  }
}

bool TracestateReader::read_member(std::string_view member) {
  const auto equals = member.find('=');
  if (equals == member.npos) return false;
  const auto key = member.substr(0, equals);
  const auto value = member.substr(equals + 1);
  if (!is_key(key) || !is_value(value)) return false;
  if (key == "ot" && !ot_seen_) {
    ot_seen_ = true;
    if (const auto randomness = randomness_of(value)) {
      has_randomness_ = true;
      randomness_ = *randomness;
    }
  }
  return true;
}

std::optional<std::uint64_t> TracestateReader::randomness() const {
  if (!valid_ || !has_randomness_) return std::nullopt;
  return randomness_;
}

}  // namespace exa
