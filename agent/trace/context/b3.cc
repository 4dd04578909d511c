#include "agent/trace/context/b3.h"

#include <cstddef>

#include "agent/trace/context/hex_id.h"
#include "exa/base/ascii.h"
#include "exa/base/whitespace.h"

namespace exa {
namespace {

constexpr std::size_t kShortTraceId = 16;
constexpr std::size_t kTraceId = 32;
constexpr std::size_t kSpanId = 16;

bool read_trace_id(std::string_view text, TraceId& id) {
  return (text.size() == kShortTraceId || text.size() == kTraceId) &&
         read_hex_id(text, HexLetters::kLowerCase, id);
}

bool read_span_id(std::string_view text, SpanId& id) {
  return text.size() == kSpanId && read_hex_id(text, HexLetters::kLowerCase, id);
}

bool read_decision(std::string_view text, TraceContext& context) {
  if (text != "0" && text != "1" && text != "d") return false;
  if (text != "0") context.flags |= kTraceSampled;
  return true;
}

// Up to the next '-', which is removed too. False: nothing is left.
bool next_field(std::string_view& rest, std::string_view& field) {
  if (rest.data() == nullptr) return false;
  const auto hyphen = rest.find('-');
  field = rest.substr(0, hyphen);
  rest = hyphen == rest.npos ? std::string_view() : rest.substr(hyphen + 1);
  return true;
}

}  // namespace

bool read_b3(std::string_view value, TraceContext& context) {
  value = trimmed(value);
  if (value.size() == 1) return read_decision(value, context);
  std::string_view field;
  if (!next_field(value, field) || !read_trace_id(field, context.trace_id)) return false;
  if (!next_field(value, field) || !read_span_id(field, context.parent)) return false;
  if (!next_field(value, field)) return true;
  if (!read_decision(field, context)) return false;
  if (!next_field(value, field)) return true;
  SpanId parent_of_parent;
  return read_span_id(field, parent_of_parent) && !next_field(value, field);
}

bool read_b3_trace_id(std::string_view value, TraceContext& context) {
  return read_trace_id(trimmed(value), context.trace_id);
}

bool read_b3_span_id(std::string_view value, TraceContext& context) {
  return read_span_id(trimmed(value), context.parent);
}

bool read_b3_sampled(std::string_view value, TraceContext& context) {
  value = trimmed(value);
  const bool sampled = value == "1" || equals_ignoring_case(value, "true");
  if (sampled) context.flags |= kTraceSampled;
  return sampled || value == "0" || equals_ignoring_case(value, "false");
}

bool read_b3_flags(std::string_view value, TraceContext& context) {
  if (trimmed(value) == "1") context.flags |= kTraceSampled;
  return true;
}

}  // namespace exa
