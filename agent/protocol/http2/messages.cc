#include "agent/protocol/http2/messages.h"

#include "agent/protocol/http_words.h"

namespace exa::http2 {
namespace {

// Three digits; 0 for what is none.
std::uint16_t parse_status(std::string_view text) {
  if (text.size() != 3) return 0;
  std::uint16_t status = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return 0;
    status = static_cast<std::uint16_t>(status * 10 + (c - '0'));
  }
  return status;
}

// "application/grpc", with or without a format; "application/grpc-web" is another protocol.
bool is_grpc(std::string_view content_type) {
  constexpr std::string_view kGrpc = "application/grpc";
  if (!content_type.starts_with(kGrpc)) return false;
  content_type.remove_prefix(kGrpc.size());
  return content_type.empty() || content_type.front() == '+' || content_type.front() == ';';
}

bool parse_grpc_status(std::string_view text, std::uint16_t& status) {
  if (text.empty() || text.size() > 4) return false;
  status = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    status = static_cast<std::uint16_t>(status * 10 + (c - '0'));
  }
  return true;
}

// At most 8 digits and a unit; 0 for what is none.
std::uint64_t parse_timeout_ns(std::string_view text) {
  if (text.size() < 2 || text.size() > 9) return 0;
  std::uint64_t number = 0;
  for (const char c : text.substr(0, text.size() - 1)) {
    if (c < '0' || c > '9') return 0;
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
  }
  constexpr std::uint64_t kSecond = 1'000'000'000;
  switch (text.back()) {
    case 'n':
      return number;
    case 'u':
      return number * 1'000;
    case 'm':
      return number * 1'000'000;
    case 'S':
      return number * kSecond;
    case 'M':
      return number * 60 * kSecond;
    case 'H':
      return number * 3'600 * kSecond;
    default:
      return 0;
  }
}

void read_pseudo(const hpack::Field& field, Head& head) {
  if (field.name == ":method") {
    head.has_method = true;
    if (!field.value_known) return;
    head.method = http::parse_method(field.value);
    if (head.method == Method::kOther) head.method_text.assign(field.value);
  } else if (field.name == ":status") {
    head.has_status = true;
    head.status = parse_status(field.value);
  } else if (field.name == ":path") {
    head.path.assign(http::without_query(field.value));
  } else if (field.name == ":authority") {
    head.host.assign(field.value);
  } else if (field.name == ":protocol") {
    head.has_protocol = true;
  }
}

}  // namespace

// Names are in lower case; an upper-case one is malformed, and nobody reads it.
void read_field(const hpack::Field& field, Head& head) {
  if (!field.name_known || field.name.empty()) return;
  if (field.name.front() == ':') return read_pseudo(field, head);
  if (!field.value_known) return;
  switch (field.name.size()) {
    case 4:
      if (field.name == "host" && head.host.empty()) head.host.assign(field.value);
      return;
    case 12:
      if (field.name == "content-type") head.is_grpc = is_grpc(field.value);
      if (field.name == "grpc-timeout") head.timeout_ns = parse_timeout_ns(field.value);
      break;
    case 11:
      if (field.name == "grpc-status")
        head.has_grpc_status = parse_grpc_status(field.value, head.grpc_status);
      break;
    default:
      break;
  }
  head.context.on_header(field.name, field.value);
}

}  // namespace exa::http2
