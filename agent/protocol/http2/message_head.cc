#include "agent/protocol/http2/message_head.h"

#include <algorithm>
#include <array>

#include "agent/protocol/http_words.h"

namespace exa::http2 {
namespace {

// Three digits; 0 if it is something else.
std::uint16_t parse_status(std::string_view text) {
  const auto number = http::decimal_number(text);
  const bool valid = text.size() == 3 && number.valid && number.value >= 100;
  return valid ? static_cast<std::uint16_t>(number.value) : std::uint16_t{0};
}

// "application/grpc", with or without a format; "application/grpc-web" is another protocol.
bool names_grpc(std::string_view content_type) {
  constexpr std::string_view kGrpc = "application/grpc";
  if (!content_type.starts_with(kGrpc)) return false;
  content_type.remove_prefix(kGrpc.size());
  return content_type.empty() || content_type.front() == '+' || content_type.front() == ';';
}

std::optional<std::uint16_t> parse_grpc_status(std::string_view text) {
  const auto number = http::decimal_number(text);
  if (!number.valid || number.value > 9'999) return std::nullopt;
  return static_cast<std::uint16_t>(number.value);
}

// At most 8 digits and a unit; 0 for what is none.
std::uint64_t parse_timeout_ns(std::string_view text) {
  if (text.size() < 2 || text.size() > 9) return 0;
  const auto number = http::decimal_number(text.substr(0, text.size() - 1));
  if (!number.valid) return 0;
  constexpr std::uint64_t kSecond = 1'000'000'000;
  switch (text.back()) {
    case 'n':
      return number.value;
    case 'u':
      return number.value * 1'000;
    case 'm':
      return number.value * 1'000'000;
    case 'S':
      return number.value * kSecond;
    case 'M':
      return number.value * 60 * kSecond;
    case 'H':
      return number.value * 3'600 * kSecond;
    default:
      return 0;
  }
}

// Besides trace contexts.
bool reads(std::string_view name) {
  constexpr std::array<std::string_view, 11> kRead = {
      ":method", ":scheme",      ":path",          ":authority",  ":status",     ":protocol",
      "host",    "content-type", "content-length", "grpc-status", "grpc-timeout"};
  return std::ranges::find(kRead, name) != kRead.end();
}

}  // namespace

// Names are in lower case, or the message is malformed (section 8.2.1).
void MessageHead::take(const hpack::Field& field) {
  partly_unknown_ |= !field.name_known ||
                     (!field.value_known && (reads(field.name) || context_.reads(field.name)));
  names_unknown_ |= !field.name_known;
  if (!field.name_known) return take_unnamed(field);
  if (field.name.empty()) return;
  if (field.name.front() == ':') {
    take_pseudo(field.name.substr(1), field);
  } else {
    take_regular(field.name, field);
  }
}

// Not what may be a query, a name or a credential, nor what is longer than any of these is.
bool MessageHead::tells(std::string_view name, std::string_view value) {
  constexpr std::size_t kLongestWord = 64;
  // Of trace contexts some are lists of key=value.
  const bool of_context = is_context_header(name);
  if (!reads(name) && !of_context) return false;
  if (value.find_first_of(of_context ? "?@#%&" : "?@#%=&") != value.npos) return false;
  std::size_t word = 0;
  for (const char c : value) {
    word = c == '/' ? 0 : word + 1;
    if (word > kLongestWord) return false;
  }
  return true;
}

// Peers keep the names of fields whose values vary, and send the values in full.
void MessageHead::take_unnamed(const hpack::Field& field) {
  if (!field.value_known || field.value.size() != kTraceparentBytes ||
      !parse_traceparent(field.value))
    return;
  if (unnamed_context_.empty()) unnamed_context_.assign(field.value);
  unnamed_contexts_differ_ |= unnamed_context_.view() != field.value;
}

ContextReader MessageHead::context() const {
  auto context = context_;
  if (!context_named_ && !unnamed_contexts_differ_ && !unnamed_context_.empty())
    context.on_header("traceparent", unnamed_context_.view());
  if (names_unknown_) context.on_missing_headers();
  return context;
}

void MessageHead::take_pseudo(std::string_view name, const hpack::Field& field) {
  if (name == "status") {
    is_response_ = true;
    if (field.value_known) status_ = parse_status(field.value);
    return;
  }
  const bool authority = name == "authority";
  const bool path = name == "path";
  const bool method = name == "method";
  if (!authority && !path && !method && name != "protocol" && name != "scheme") return;
  is_request_ = true;
  has_authority_ |= authority;
  if (!field.value_known) return;
  if (method && !method_known_) take_method(field.value);
  if (path && path_.empty()) take_path(field.value);
  if (authority) host_.assign(http::without_userinfo(http::up_to_blank_or_control(field.value)));
}

void MessageHead::take_method(std::string_view value) {
  method_known_ = true;
  method_ = http::parse_method(value);
  if (method_ == Method::kOther && std::ranges::all_of(value, http::is_method_character))
    method_original_.assign(value);
}

// It begins with a slash, or is "*". Of another one it is not known whether it names who asks.
void MessageHead::take_path(std::string_view value) {
  const auto path = http::without_query(http::up_to_blank_or_control(value));
  if (path.starts_with('/') || path.find('@') == path.npos) path_.assign(path);
}

void MessageHead::take_regular(std::string_view name, const hpack::Field& field) {
  if (name == "host") {
    if (field.value_known && !has_authority_ && host_.empty())
      host_.assign(http::without_userinfo(http::up_to_blank_or_control(field.value)));
    return;
  }
  if (name == "content-length") {
    const auto number = field.value_known ? http::decimal_number(field.value) : http::Number{};
    content_length_ = number.valid ? number.value : kUnknownBytes;
    return;
  }
  if (name == "content-type") {
    content_type_known_ = field.value_known;
    is_grpc_ = field.value_known && names_grpc(field.value);
    return;
  }
  if (name == "grpc-status") {
    if (field.value_known) grpc_status_ = parse_grpc_status(field.value);
    return;
  }
  if (name == "grpc-timeout") {
    timeout_ns_ = field.value_known ? parse_timeout_ns(field.value) : 0;
    return;
  }
  context_named_ |= name == "traceparent";
  if (field.value_known) {
    context_.on_header(name, field.value);
  } else {
    context_.on_unknown_value(name);
  }
}

}  // namespace exa::http2
