#include "agent/protocol/http1/fields.h"

#include "agent/protocol/http1/field_name.h"
#include "agent/protocol/http_words.h"
#include "exa/base/whitespace.h"

namespace exa::http1 {
namespace {

using http::decimal_number;
using http::Number;

enum class FieldName : std::uint8_t {
  kOther,
  kHost,
  kExpect,
  kUpgrade,
  kConnection,
  kContentLength,
  kTransferEncoding,
};

constexpr LowerCaseWord kHost("host");
constexpr LowerCaseWord kExpect("expect");
constexpr LowerCaseWord kConnection("connection");
constexpr LowerCaseWord kContentLength("content-length");
constexpr LowerCaseWord kTransferEncoding("transfer-encoding");

constexpr LowerCaseWord kChunked("chunked");
constexpr LowerCaseWord k100Continue("100-continue");
constexpr LowerCaseWord kKeepAlive("keep-alive");
constexpr LowerCaseWord kClose("close");
constexpr LowerCaseWord kUpgrade("upgrade");
constexpr LowerCaseWord kHttp("http");
constexpr std::string_view kHttp2 = "h2c";  // RFC 7540 section 3.2

FieldName framing_field(std::string_view name) {
  switch (name.size()) {
    case 4:
      return kHost.equals(name) ? FieldName::kHost : FieldName::kOther;
    case 6:
      return kExpect.equals(name) ? FieldName::kExpect : FieldName::kOther;
    case 7:
      return kUpgrade.equals(name) ? FieldName::kUpgrade : FieldName::kOther;
    case 10:
      return kConnection.equals(name) ? FieldName::kConnection : FieldName::kOther;
    case 14:
      return kContentLength.equals(name) ? FieldName::kContentLength : FieldName::kOther;
    case 17:
      return kTransferEncoding.equals(name) ? FieldName::kTransferEncoding : FieldName::kOther;
    default:
      return FieldName::kOther;
  }
}

template <typename Visit>
void for_each_element(std::string_view list, Visit visit) {
  while (true) {
    const auto comma = list.find(',');
    visit(trimmed(list.substr(0, comma)));
    if (comma == list.npos) return;
    list.remove_prefix(comma + 1);
  }
}

void take_content_length(Number number, Fields& fields) {
  if (!number.valid || (fields.has_content_length && fields.content_length != number.value))
    fields.content_length_invalid = true;
  fields.has_content_length = true;
  fields.content_length = number.value;
}

// One decimal number, or the same number several times.
void read_content_length(std::string_view value, Fields& fields) {
  if (const auto number = decimal_number(value); number.valid)
    return take_content_length(number, fields);
  for_each_element(value, [&](std::string_view element) {
    take_content_length(decimal_number(element), fields);
  });
}

void read_transfer_encoding(std::string_view value, Fields& fields) {
  fields.has_transfer_encoding = true;
  for_each_element(value, [&](std::string_view coding) {
    if (coding.empty()) return;
    fields.chunked_is_last = kChunked.equals(coding);
    if (fields.chunked_is_last && fields.chunked_codings < 2) ++fields.chunked_codings;
  });
}

void read_connection(std::string_view value, Fields& fields) {
  if (kKeepAlive.equals(value)) return;
  for_each_element(value, [&](std::string_view option) {
    if (kClose.equals(option)) fields.connection_close = true;
    if (kUpgrade.equals(option)) fields.connection_upgrade = true;
  });
}

// value: with the blanks around it.
void read_field(std::string_view name, std::string_view value, bool folded, Fields& fields,
                ContextReader* context) {
  switch (framing_field(name)) {
    case FieldName::kHost:
      if (fields.host.empty() && !folded) fields.host = trimmed(value);
      return;
    case FieldName::kExpect:
      if (k100Continue.equals(trimmed(value))) fields.expect_continue = true;
      return;
    case FieldName::kConnection:
      read_connection(trimmed(value), fields);
      return;
    case FieldName::kUpgrade:
      for_each_element(
          value, [&](std::string_view protocol) { fields.upgrade_http2 |= protocol == kHttp2; });
      return;
    case FieldName::kContentLength:
      read_content_length(trimmed(value), fields);
      fields.content_length_invalid |= folded;
      return;
    case FieldName::kTransferEncoding:
      read_transfer_encoding(trimmed(value), fields);
      fields.transfer_encoding_invalid |= folded;
      return;
    case FieldName::kOther:
      break;
  }
  if (context == nullptr) return;
  if (folded) {
    context->on_folded_header(name);
  } else {
    context->on_header(name, value);
  }
}

template <std::size_t Size>
bool holds(std::string_view line, const LowerCaseWord<Size>& word) {
  constexpr auto kLetters = Size - 1;
  for (std::size_t at = 0; at + kLetters <= line.size(); ++at)
    if (word.equals(line.substr(at, kLetters))) return true;
  return false;
}

// Of a line behind its name.
struct Continuation {
  bool whole = true;
  bool folded = false;
};

// The lines that continue the one before. The next line's first character tells whether it goes on.
Continuation read_continuation(LineReader& lines, bool of_field, Fields& fields) {
  using Got = LineReader::Got;
  Continuation read;
  while (!lines.at_end() && is_whitespace(lines.peek())) {
    read.folded = true;
    std::string_view line;
    auto got = lines.next(line);
    const bool control = got == Got::kInvalid;
    if (control) got = lines.next_odd(line);
    if (got == Got::kIncomplete) return {.whole = false};
    if (control || !of_field)
      pass_over(line, control ? InvalidReason::kControlCharacter : InvalidReason::kFieldLine,
                fields);
  }
  read.whole = !lines.at_end();
  return read;
}

BodyDecision disputed(InvalidReason reason) {
  return {{BodyKind::kDisputed, 0}, reason};
}

}  // namespace

void pass_over(std::string_view line, InvalidReason reason, Fields& fields) {
  if (fields.odd_line == InvalidReason::kNone) fields.odd_line = reason;
  const bool control = reason == InvalidReason::kControlCharacter;
  fields.obscure |= control || holds(line, kContentLength) || holds(line, kTransferEncoding);
  fields.hides_request |= control && holds(line, kHttp);
}

ParseResult read_fields(LineReader& lines, Fields& fields, ContextReader* context) {
  using Got = LineReader::Got;
  while (true) {
    std::string_view line;
    auto got = lines.next(line);
    const bool control = got == Got::kInvalid;
    if (control) got = lines.next_odd(line);
    if (got == Got::kIncomplete) return {};
    if (line.empty()) return {ParseStatus::kMessage, InvalidReason::kNone, lines.position()};

    const auto name_bytes = token_length(line, lines.bytes_from(line));
    const bool is_field =
        !control && name_bytes > 0 && name_bytes < line.size() && line[name_bytes] == ':';
    if (!is_field)
      pass_over(line, control ? InvalidReason::kControlCharacter : InvalidReason::kFieldLine,
                fields);
    const auto continuation = read_continuation(lines, is_field, fields);
    if (!continuation.whole) return {};
    if (is_field)
      read_field(line.substr(0, name_bytes), line.substr(name_bytes + 1), continuation.folded,
                 fields, context);
  }
}

BodyDecision decide_request_body(const Fields& fields, ProtocolVersion version) {
  if (fields.has_transfer_encoding) {
    // A reader should take the coding (RFC 9112 section 6.3), but this is how one is deceived.
    if (fields.has_content_length) return disputed(InvalidReason::kLengthAndEncoding);
    if (!fields.chunked_is_last || fields.chunked_codings != 1 ||
        fields.transfer_encoding_invalid || version != ProtocolVersion::k11)
      return disputed(InvalidReason::kTransferEncoding);
  } else if (fields.content_length_invalid) {
    return disputed(InvalidReason::kContentLength);
  }
  const bool has_body = fields.has_transfer_encoding || fields.content_length > 0;
  // Who ends the head at a line that is no field does not see the fields behind it.
  if (fields.obscure || (has_body && fields.odd_line != InvalidReason::kNone))
    return disputed(fields.odd_line);
  if (fields.has_transfer_encoding) return {{BodyKind::kChunked, 0}};
  if (has_body) return {{BodyKind::kLength, fields.content_length}};
  return {{}, fields.odd_line};
}

BodyDecision decide_response_body(const Fields& fields, ProtocolVersion version,
                                  std::uint16_t status, Method request_method) {
  const auto odd = fields.odd_line;
  const bool never_has_body = status < 200 || status == 204 || status == 304;
  if (never_has_body || request_method == Method::kHead) return {{}, odd};
  if (request_method == Method::kConnect && status < 300) return {{}, odd};
  if (fields.obscure) return disputed(odd);
  if (fields.has_transfer_encoding) {
    if (fields.transfer_encoding_invalid || fields.chunked_codings > 1)
      return disputed(InvalidReason::kTransferEncoding);
    const bool chunked = fields.chunked_is_last && version != ProtocolVersion::k10;
    return {{chunked ? BodyKind::kChunked : BodyKind::kUntilClose, 0}, odd};
  }
  if (fields.content_length_invalid) return disputed(InvalidReason::kContentLength);
  if (!fields.has_content_length) return {{BodyKind::kUntilClose, 0}, odd};
  if (fields.content_length == 0) return {{}, odd};
  return {{BodyKind::kLength, fields.content_length}, odd};
}

}  // namespace exa::http1
