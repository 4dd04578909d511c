#include "agent/protocol/http2/message_head.h"

#include <algorithm>

#include "agent/protocol/http_words.h"

namespace exa::http2 {
namespace {

bool is_usual_in_method(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
}

// Three digits; 0 if it is something else.
std::uint16_t parse_status(std::string_view text) {
  const auto number = http::decimal_number(text);
  const bool valid = text.size() == 3 && number.valid && number.value >= 100;
  return valid ? static_cast<std::uint16_t>(number.value) : std::uint16_t{0};
}

}  // namespace

// Names are in lower case, or the message is malformed (section 8.2.1).
void MessageHead::take(const hpack::Field& field) {
  if (!field.name_known || field.name.empty()) return;
  if (field.name.front() == ':') {
    take_pseudo(field.name.substr(1), field);
  } else {
    take_regular(field.name, field);
  }
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
  const bool protocol = name == "protocol";
  if (!authority && !path && !method && !protocol && name != "scheme") return;
  is_request_ = true;
  has_protocol_ |= protocol;
  has_authority_ |= authority;
  if (!field.value_known) return;
  if (method && !method_known_) take_method(field.value);
  if (path && path_.empty()) take_path(field.value);
  if (authority) host_.assign(http::without_userinfo(http::up_to_blank_or_control(field.value)));
}

void MessageHead::take_method(std::string_view value) {
  method_known_ = true;
  method_ = http::parse_method(value);
  if (method_ == Method::kOther && std::ranges::all_of(value, is_usual_in_method))
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
    if (field.value_known) content_type_.assign(field.value);
    return;
  }
  if (field.value_known) {
    context_.on_header(name, field.value);
  } else if (name == "traceparent") {
    context_unknown_ = true;
  } else {
    context_.on_folded_header(name);
  }
}

}  // namespace exa::http2
