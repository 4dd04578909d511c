#include "agent/protocol/http1/head.h"

#include <algorithm>

#include "agent/protocol/http1/detect.h"
#include "agent/protocol/http1/field_name.h"
#include "agent/protocol/http1/fields.h"
#include "agent/protocol/http1/line_reader.h"
#include "agent/protocol/http1/method.h"
#include "agent/protocol/http_words.h"
#include "exa/base/whitespace.h"

namespace exa::http1 {
namespace {

using Got = LineReader::Got;
using http::has_blank_or_control;
using http::without_query;
using http::without_userinfo;

ParseResult invalid(InvalidReason reason) {
  return {ParseStatus::kInvalid, reason, 0};
}

// "HTTP/1.x" -> version; kUnknown if it is not that.
ProtocolVersion parse_version(std::string_view text) {
  if (text.size() != 8 || !text.starts_with("HTTP/1.")) return ProtocolVersion::kUnknown;
  if (text[7] == '0') return ProtocolVersion::k10;
  return text[7] >= '1' && text[7] <= '9' ? ProtocolVersion::k11 : ProtocolVersion::kUnknown;
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

// Of a target that has none of the four forms: what stands in front of its first blank or control
// character. It may be relative, but not say who asks.
void read_odd_target(std::string_view target, RequestHead& head) {
  const auto clean = http::up_to_blank_or_control(target);
  if (!parse_target(clean, head) && clean.find('@') == clean.npos) head.path = without_query(clean);
}

bool is_version(std::string_view word) {
  constexpr LowerCaseWord kName("http/");
  return kName.equals(word.substr(0, 5));
}

// "RTSP/1.0": what has methods in common with HTTP.
bool names_other_protocol(std::string_view word) {
  const auto slash = word.find('/');
  return slash != 0 && slash + 1 < word.size() && word[slash + 1] >= '0' &&
         word[slash + 1] <= '9' && std::ranges::all_of(word.substr(0, slash), is_usual_in_method);
}

// A line that is not valid, but is nothing else than a request. rest: behind the method. A version
// makes it credible, but a method that is any word needs a usual target too; without a version only
// a method that everybody knows and a usual target do.
InvalidReason parse_odd_request_line(std::string_view rest, RequestHead& head) {
  const auto words = trimmed(rest);
  const auto last = words.substr(words.find_last_of(" \t") + 1);
  const bool versioned = is_version(last);
  const auto target = trimmed(words.substr(0, words.size() - (versioned ? last.size() : 0)));
  const bool usual_target =
      target.starts_with('/') || target.starts_with('*') || target.starts_with("http");
  const bool usual_method = std::ranges::all_of(head.method_text, is_usual_in_method);
  const bool known_method = head.method != Method::kOther && head.method != Method::kConnect;
  const bool credible = versioned ? usual_method || usual_target
                                  : known_method && usual_target && !names_other_protocol(last);
  // The first words of HTTP/2 and of a proxy, which may come in pieces.
  const bool foreign = head.method_text == "PRI" || head.method_text == "PROXY";
  head.version = parse_version(last);
  if (!credible || foreign) {
    if (!versioned) return InvalidReason::kStartLine;
    return head.version == ProtocolVersion::kUnknown ? InvalidReason::kVersion
                                                     : InvalidReason::kTarget;
  }
  read_odd_target(target, head);
  head.has_start_line = true;
  if (!versioned || target.empty()) return InvalidReason::kStartLine;
  return head.version == ProtocolVersion::kUnknown ? InvalidReason::kVersion
                                                   : InvalidReason::kTarget;
}

// The reason alone says nothing of whether there is a start line.
InvalidReason parse_request_line(std::string_view line, RequestHead& head) {
  const auto method = method_length(line);
  if (method == 0 || method > kMaxMethodBytes || method == line.size() ||
      !is_whitespace(line[method]))
    return InvalidReason::kStartLine;
  head.method_text = line.substr(0, method);
  head.method = parse_method(head.method_text);
  const auto rest = line.substr(method);
  const auto last_blank = rest.find_last_of(' ');
  if (rest.front() == ' ' && last_blank != 0) {
    const auto target = rest.substr(1, last_blank - 1);
    head.version = parse_version(rest.substr(last_blank + 1));
    head.has_start_line = head.version != ProtocolVersion::kUnknown &&
                          !has_blank_or_control(target) && parse_target(target, head);
    if (head.has_start_line) return InvalidReason::kNone;
  }
  return parse_odd_request_line(rest, head);
}

// "HTTP/1.1 200" and then nothing, or a blank and any reason.
InvalidReason parse_status_line(std::string_view line, ResponseHead& head) {
  constexpr std::size_t kStatusEnd = 12;
  head.version = parse_version(line.substr(0, 8));
  if (head.version == ProtocolVersion::kUnknown) return InvalidReason::kVersion;
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

// A start line with a NUL or a bare CR counts by what is in front of that. False: more of it comes.
bool pass_over_rest(LineReader& lines, Fields& fields) {
  std::string_view line;
  if (lines.next_odd(line) == Got::kIncomplete) return false;
  pass_over(line.substr(line.find_first_of(std::string_view("\r\0", 2))),
            InvalidReason::kControlCharacter, fields);
  return true;
}

}  // namespace

ParseResult parse_request_head(std::string_view bytes, const ContextHeaders& contexts,
                               RequestHead& head) {
  head = {.context = ContextReader(contexts)};
  LineReader lines(bytes);
  std::string_view line;
  const auto got = read_start_line(lines, line, head.leading_bytes);
  if (got == Got::kIncomplete) return incomplete_start_line(line, Side::kRequest);
  const auto breach = parse_request_line(line, head);
  if (!head.has_start_line) return invalid(breach);
  Fields fields;
  if (got == Got::kInvalid && !pass_over_rest(lines, fields)) return {};
  auto result = read_fields(lines, fields, &head.context);
  if (head.host.empty()) head.host = without_userinfo(fields.host);
  if (result.status != ParseStatus::kMessage) return result;
  const auto decision = decide_request_body(fields, head.version);
  head.body = decision.framing;
  // For HTTP/0.9 the request ends with its line.
  if (breach == InvalidReason::kStartLine) head.body = {BodyKind::kDisputed, 0};
  head.hides_request = fields.hides_request;
  result.reason =
      is_framing(decision.reason) || breach == InvalidReason::kNone ? decision.reason : breach;
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
  if (got == Got::kIncomplete) return incomplete_start_line(line, Side::kResponse);
  if (const auto reason = parse_status_line(line, head); reason != InvalidReason::kNone)
    return invalid(reason);

  Fields fields;
  if (got == Got::kInvalid && !pass_over_rest(lines, fields)) return {};
  auto result = read_fields(lines, fields, nullptr);
  if (result.status != ParseStatus::kMessage) return result;
  const auto decision = decide_response_body(fields, head.version, head.status, request_method);
  head.body = decision.framing;
  result.reason = decision.reason;
  head.wants_close = fields.connection_close;
  head.goes_on_in_http2 = head.status == 101 && fields.upgrade_http2;
  const bool tunnel = request_method == Method::kConnect && head.status / 100 == 2;
  if (head.status == 101 || tunnel) result.status = ParseStatus::kUpgraded;
  return result;
}

bool cut_request_head(std::string_view bytes, RequestHead& head) {
  head.body = {BodyKind::kUnknown, 0};
  head.context.on_missing_headers();
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
