#include "agent/protocol/http1/fields.h"

#include <array>
#include <limits>

#include "agent/trace/context/whitespace.h"

namespace exa::http1 {
namespace {

// Token characters of RFC 9110 section 5.6.2.
constexpr auto kTokenCharacter = [] {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c)
    table[c] = true;
  for (int c = 'a'; c <= 'z'; ++c)
    table[c] = table[c - 0x20] = true;
  for (const char c : {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'})
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();

enum class FieldName : std::uint8_t {
  kOther,
  kHost,
  kExpect,
  kConnection,
  kContentLength,
  kTransferEncoding,
};

constexpr std::uint64_t kFramingLengths =
    1ull << 4 | 1ull << 6 | 1ull << 10 | 1ull << 14 | 1ull << 17;

// lower is lower case and of letters and '-' only.
bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if ((text[i] | 0x20) != lower[i]) return false;
  return true;
}

FieldName framing_field(std::string_view name) {
  if (name.size() > 63 || (kFramingLengths >> name.size() & 1) == 0) return FieldName::kOther;
  const auto is = [name](std::string_view lower) { return equals_ignoring_case(name, lower); };
  switch (name.size()) {
    case 4:
      return is("host") ? FieldName::kHost : FieldName::kOther;
    case 6:
      return is("expect") ? FieldName::kExpect : FieldName::kOther;
    case 10:
      return is("connection") ? FieldName::kConnection : FieldName::kOther;
    case 14:
      return is("content-length") ? FieldName::kContentLength : FieldName::kOther;
    case 17:
      return is("transfer-encoding") ? FieldName::kTransferEncoding : FieldName::kOther;
    default:
      return FieldName::kOther;
  }
}

template <typename Visit>
void for_each_element(std::string_view list, Visit visit) {
  while (true) {
    const auto comma = list.find(',');
    visit(trim_whitespace(list.substr(0, comma)));
    if (comma == list.npos) return;
    list.remove_prefix(comma + 1);
  }
}

// One decimal number, or the same number several times.
void read_content_length(std::string_view value, Fields& fields) {
  for_each_element(value, [&](std::string_view element) {
    std::uint64_t number = 0;
    bool valid = !element.empty();
    for (const char c : element) {
      if (c < '0' || c > '9' || number > (std::numeric_limits<std::int64_t>::max() - 9) / 10) {
        valid = false;
        break;
      }
      number = number * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (!valid || (fields.has_content_length && fields.content_length != number))
      fields.content_length_invalid = true;
    fields.has_content_length = true;
    fields.content_length = number;
  });
}

void read_transfer_encoding(std::string_view value, Fields& fields) {
  fields.has_transfer_encoding = true;
  for_each_element(value, [&](std::string_view coding) {
    if (coding.empty()) return;
    fields.chunked_is_last = equals_ignoring_case(coding, "chunked");
    if (fields.chunked_is_last && fields.chunked_codings < 2) ++fields.chunked_codings;
  });
}

void read_connection(std::string_view value, Fields& fields) {
  for_each_element(value, [&](std::string_view option) {
    if (equals_ignoring_case(option, "close")) fields.connection_close = true;
    if (equals_ignoring_case(option, "upgrade")) fields.connection_upgrade = true;
  });
}

void read_field(std::string_view name, std::string_view value, bool folded, Fields& fields,
                ContextReader* context) {
  switch (framing_field(name)) {
    case FieldName::kHost:
      if (fields.host.empty() && !folded) fields.host = value;
      return;
    case FieldName::kExpect:
      if (equals_ignoring_case(value, "100-continue")) fields.expect_continue = true;
      return;
    case FieldName::kConnection:
      read_connection(value, fields);
      return;
    case FieldName::kContentLength:
      read_content_length(value, fields);
      fields.content_length_invalid |= folded;
      return;
    case FieldName::kTransferEncoding:
      read_transfer_encoding(value, fields);
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

ParseResult invalid(InvalidReason reason) {
  return {ParseStatus::kInvalid, reason, 0};
}

}  // namespace

ParseResult read_fields(LineReader& lines, Fields& fields, ContextReader* context) {
  using Got = LineReader::Got;
  while (true) {
    std::string_view line;
    const auto got = lines.next(line);
    if (got == Got::kInvalid) return invalid(InvalidReason::kControlCharacter);
    if (got == Got::kIncomplete) return {};
    if (line.empty()) return {ParseStatus::kMessage, InvalidReason::kNone, lines.position()};

    std::size_t name_bytes = 0;
    while (name_bytes < line.size() &&
           kTokenCharacter[static_cast<unsigned char>(line[name_bytes])])
      ++name_bytes;
    if (name_bytes == 0 || name_bytes == line.size() || line[name_bytes] != ':')
      return invalid(InvalidReason::kFieldLine);
    // The next line's first character tells whether this one goes on.
    if (lines.at_end()) return {};
    bool folded = false;
    while (is_whitespace(lines.peek())) {
      folded = true;
      std::string_view continuation;
      const auto more = lines.next(continuation);
      if (more == Got::kInvalid) return invalid(InvalidReason::kControlCharacter);
      if (more == Got::kIncomplete || lines.at_end()) return {};
    }
    read_field(line.substr(0, name_bytes), trim_whitespace(line.substr(name_bytes + 1)), folded,
               fields, context);
  }
}

BodyDecision decide_request_body(const Fields& fields, Protocol version) {
  if (fields.has_transfer_encoding) {
    if (fields.has_content_length) return {{}, InvalidReason::kLengthAndEncoding};
    if (!fields.chunked_is_last || fields.chunked_codings != 1 ||
        fields.transfer_encoding_invalid || version == Protocol::kHttp10)
      return {{}, InvalidReason::kTransferEncoding};
    return {{BodyKind::kChunked, 0}};
  }
  if (fields.content_length_invalid) return {{}, InvalidReason::kContentLength};
  if (fields.has_content_length && fields.content_length > 0)
    return {{BodyKind::kLength, fields.content_length}};
  return {};
}

BodyDecision decide_response_body(const Fields& fields, Protocol version, std::uint16_t status,
                                  Method request_method) {
  const bool never_has_body = status < 200 || status == 204 || status == 304;
  if (never_has_body || request_method == Method::kHead) return {};
  if (request_method == Method::kConnect && status < 300) return {};
  if (fields.has_transfer_encoding) {
    if (fields.transfer_encoding_invalid || fields.chunked_codings > 1)
      return {{}, InvalidReason::kTransferEncoding};
    const bool chunked = fields.chunked_is_last && version != Protocol::kHttp10;
    return {{chunked ? BodyKind::kChunked : BodyKind::kUntilClose, 0}};
  }
  if (fields.content_length_invalid) return {{}, InvalidReason::kContentLength};
  if (!fields.has_content_length) return {{BodyKind::kUntilClose, 0}};
  if (fields.content_length == 0) return {};
  return {{BodyKind::kLength, fields.content_length}};
}

}  // namespace exa::http1
