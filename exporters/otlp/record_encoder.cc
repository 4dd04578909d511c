#include <algorithm>
#include <string>

#include "exa/base/readable_duration.h"
#include "exporters/otlp/encoder.h"
#include "exporters/otlp/encoding_parts.h"
#include "exporters/otlp/wire.h"

namespace exa {
namespace {

using namespace otlp;

// logs.proto, SeverityNumber.
struct Severity {
  std::int32_t number;
  const char* text;
};
constexpr Severity kWarn{13, "WARN"};
constexpr Severity kError{17, "ERROR"};

constexpr const char* kEventName = "exemplar_agent.request";

// "GET /orders/{id} 500 took 731 ms: 78 % of it asleep"
std::string sentence_of(const Span& span) {
  std::string text = span.name;
  for (const char* const key : {"http.response.status_code", "rpc.status_code"})
    if (const auto status = attribute_text(span.attributes, key); !status.empty())
      text += " " + status;
  text += " took " + readable_duration(span.end.ns - span.start.ns);
  if (const auto type = attribute_text(span.attributes, "error.type"); !type.empty())
    text += ", error " + type;
  if (const auto why = attribute_text(span.attributes, "exemplar.why"); !why.empty())
    text += ": " + why;
  return text;
}

std::string encode_record(const Span& span, std::span<const std::string> omitted) {
  const auto severity = span.status == SpanStatus::kError ? kError : kWarn;
  std::string out;
  Builder<LogRecordField> builder(out);
  builder.add_fixed64(LogRecordField::kTime, span.end.ns);
  builder.add_enum(LogRecordField::kSeverityNumber, severity.number);
  builder.add_string(LogRecordField::kSeverityText, severity.text);
  {
    Builder<AnyValueField> body(builder, LogRecordField::kBody);
    add_text(body, AnyValueField::kString, sentence_of(span));
  }
  auto attributes = span.attributes;
  std::erase_if(attributes, [&](const Attribute& attribute) {
    return std::ranges::find(omitted, attribute.key) != omitted.end();
  });
  attributes.push_back(
      {"exemplar_agent.request.duration", static_cast<double>(span.end.ns - span.start.ns) / 1e9});
  add_attributes(builder, LogRecordField::kAttributes, attributes);
  if (span.trace_id.valid()) builder.add_fixed32(LogRecordField::kFlags, span.flags & 0xff);
  add_id(builder, LogRecordField::kTraceId, span.trace_id);
  add_id(builder, LogRecordField::kSpanId, span.span_id);
  builder.add_fixed64(LogRecordField::kObservedTime, span.end.ns);
  builder.add_string(LogRecordField::kEventName, kEventName);
  return out;
}

}  // namespace

std::string encode_records(std::span<const Span> spans, const OtlpScope& scope,
                           std::span<const std::string> omitted) {
  return encode_by_resource(spans, scope,
                            [&](const Span& span) { return encode_record(span, omitted); });
}

}  // namespace exa
