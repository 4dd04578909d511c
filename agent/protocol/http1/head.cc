#include "agent/protocol/http1/head.h"

#include <algorithm>

#include "agent/protocol/http1/detect.h"
#include "agent/protocol/http1/fields.h"
#include "agent/protocol/http1/line_reader.h"
#include "agent/protocol/http1/method.h"

namespace exa::http1 {
namespace {

using Got = LineReader::Got;

ParseResult invalid(InvalidReason reason) {
  return {ParseStatus::kInvalid, reason, 0};
}

// "HTTP/1.x" -> version; kUnknown if it is not that.
Protocol parse_version(std::string_view text) {
  if (text.size() != 8 || !text.starts_with("HTTP/1.")) return Protocol::kUnknown;
  if (text[7] == '0') return Protocol::kHttp10;
  return text[7] >= '1' && text[7] <= '9' ? Protocol::kHttp11 : Protocol::kUnknown;
}

bool has_blank_or_control(std::string_view text) {
  bool has = false;
  for (const char c : text)
    has |= static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
  return has;
}

// line has one.
std::size_t last_blank_of(std::string_view line) {
  auto at = line.size() - 1;
  while (line[at] != ' ')
    --at;
  return at;
}

std::string_view without_userinfo(std::string_view authority) {
  const auto at = authority.rfind('@');
  return at == authority.npos ? authority : authority.substr(at + 1);
}

std::string_view without_query(std::string_view path) {
  const auto end = std::ranges::find_if(path, [](char c) { return c == '?' || c == '#'; });
  return {path.begin(), end};
}

// The four forms of RFC 9112 section 3.2. A target that was cut may lack its end.
bool parse_target(std::string_view target, RequestHead& head) {
  if (target.empty()) return false;
  if (head.method == Method::kConnect) {
    head.host = without_userinfo(target);
    return true;
  }
  if (target.front() == '/') {
    head.path = without_query(target);
    return true;
  }
  if (target == "*") {
    head.path = target;
    return true;
  }
  const auto scheme_end = target.find("://");
  if (scheme_end == target.npos || scheme_end == 0) return false;
  for (const char c : target.substr(0, scheme_end)) {
    const bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    const bool other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    if (!letter && !other) return false;
  }
  const auto rest = target.substr(scheme_end + 3);
  const auto authority_end = rest.find_first_of("/?#");
  head.host = without_userinfo(rest.substr(0, authority_end));
  const auto path =
      authority_end == rest.npos ? std::string_view() : without_query(rest.substr(authority_end));
  head.path = !path.empty() ? path : head.method == Method::kOptions ? "*" : "/";
  return true;
}

InvalidReason parse_request_line(std::string_view line, RequestHead& head) {
  const auto method = method_length(line);
  if (method == 0 || method > kMaxMethodBytes || method == line.size() || line[method] != ' ')
    return InvalidReason::kStartLine;
  head.method_text = line.substr(0, method);
  head.method = parse_method(head.method_text);
  const auto last_blank = last_blank_of(line);
  if (last_blank == method) return InvalidReason::kStartLine;
  const auto target = line.substr(method + 1, last_blank - method - 1);
  head.version = parse_version(line.substr(last_blank + 1));
  if (head.version == Protocol::kUnknown) return InvalidReason::kVersion;
  if (has_blank_or_control(target) || !parse_target(target, head)) return InvalidReason::kTarget;
  head.has_start_line = true;
  return InvalidReason::kNone;
}

// "HTTP/1.1 200" and then nothing, or a blank and any reason.
InvalidReason parse_status_line(std::string_view line, ResponseHead& head) {
  constexpr std::size_t kStatusEnd = 12;
  head.version = parse_version(line.substr(0, 8));
  if (head.version == Protocol::kUnknown) return InvalidReason::kVersion;
  if (line.size() < kStatusEnd || line[8] != ' ') return InvalidReason::kStartLine;
  if (line.size() > kStatusEnd && line[kStatusEnd] != ' ') return InvalidReason::kStartLine;
  std::uint16_t status = 0;
  for (const char c : line.substr(9, 3)) {
    if (c < '0' || c > '9') return InvalidReason::kStartLine;
    status = static_cast<std::uint16_t>(status * 10 + (c - '0'));
  }
  if (status < 100) return InvalidReason::kStartLine;
  head.status = status;
  head.has_start_line = true;
  return InvalidReason::kNone;
}

// The first line that is not empty. On kIncomplete, line is what there is of it.
Got read_start_line(LineReader& lines, std::string_view& line, std::size_t& leading_bytes) {
  while (true) {
    leading_bytes = lines.position();
    const auto got = lines.next(line);
    if (got != Got::kLine || !line.empty()) return got;
  }
}

// An incomplete start line that cannot become one is invalid now, not after 4 KiB more of it.
ParseResult incomplete_start_line(std::string_view line, Side side) {
  const auto detection = detect(line);
  const bool possible = detection.verdict != Detection::Verdict::kNo &&
                        (detection.side == side || detection.side == Side::kUnclear);
  return possible ? ParseResult{} : invalid(InvalidReason::kStartLine);
}

}  // namespace

ParseResult parse_request_head(std::string_view bytes, RequestHead& head) {
  head = {};
  LineReader lines(bytes);
  std::string_view line;
  const auto got = read_start_line(lines, line, head.leading_bytes);
  if (got == Got::kInvalid) return invalid(InvalidReason::kControlCharacter);
  if (got == Got::kIncomplete) return incomplete_start_line(line, Side::kRequest);
  if (const auto reason = parse_request_line(line, head); reason != InvalidReason::kNone)
    return invalid(reason);

  Fields fields;
  const auto result = read_fields(lines, fields, &head.context);
  if (head.host.empty()) head.host = without_userinfo(fields.host);
  if (result.status != ParseStatus::kMessage) return result;
  const auto decision = decide_request_body(fields, head.version);
  if (decision.reason != InvalidReason::kNone) return invalid(decision.reason);
  head.body = decision.framing;
  head.expect_continue = fields.expect_continue;
  head.wants_upgrade = fields.connection_upgrade;
  head.wants_close = fields.connection_close;
  return result;
}

ParseResult parse_response_head(std::string_view bytes, Method request_method, ResponseHead& head) {
  head = {};
  LineReader lines(bytes);
  std::string_view line;
  const auto got = read_start_line(lines, line, head.leading_bytes);
  if (got == Got::kInvalid) return invalid(InvalidReason::kControlCharacter);
  if (got == Got::kIncomplete) return incomplete_start_line(line, Side::kResponse);
  if (const auto reason = parse_status_line(line, head); reason != InvalidReason::kNone)
    return invalid(reason);

  Fields fields;
  auto result = read_fields(lines, fields, nullptr);
  if (result.status != ParseStatus::kMessage) return result;
  const auto decision = decide_response_body(fields, head.version, head.status, request_method);
  if (decision.reason != InvalidReason::kNone) return invalid(decision.reason);
  head.body = decision.framing;
  head.wants_close = fields.connection_close;
  const bool tunnel = request_method == Method::kConnect && head.status / 100 == 2;
  if (head.status == 101 || tunnel) result.status = ParseStatus::kUpgraded;
  return result;
}

bool cut_request_head(std::string_view bytes, RequestHead& head) {
  head.body = {BodyKind::kUnknown, 0};
  if (head.has_start_line) return true;
  // The target was cut. Only a method that everybody knows makes such a line credible.
  bytes.remove_prefix(head.leading_bytes);
  const auto method = method_length(bytes);
  if (method >= bytes.size() || bytes[method] != ' ') return false;
  head.method = parse_method(bytes.substr(0, method));
  if (head.method == Method::kOther) return false;
  const auto rest = bytes.substr(method + 1);
  const auto target = rest.substr(0, rest.find_first_of(" \r\n"));
  const bool credible = target.starts_with('/') || target.starts_with("http");
  return credible && !has_blank_or_control(target) && parse_target(target, head);
}

bool cut_response_head(std::string_view bytes, ResponseHead& head) {
  head.body = {BodyKind::kUnknown, 0};
  if (head.has_start_line) return true;
  bytes.remove_prefix(head.leading_bytes);
  bytes = bytes.substr(0, bytes.find_first_of("\r\n"));
  // Without what follows the status it might have more digits.
  return bytes.size() > 12 && parse_status_line(bytes, head) == InvalidReason::kNone;
}

}  // namespace exa::http1
