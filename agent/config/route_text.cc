#include "agent/config/route_text.h"

#include <algorithm>

namespace exa {
namespace {

constexpr std::string_view kService = "service=";

bool is_plain(char c) {
  return c > ' ' && c < 0x7f && std::string_view("{}*?#\"\\").find(c) == std::string_view::npos;
}

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

// What is wrong with a segment; empty: nothing.
std::string fault_of(std::string_view segment, bool last) {
  if (segment == "*")
    return last ? "" : "a * stands for all that follows, so it must be the last segment";
  if (segment.starts_with('{') && segment.ends_with('}') && segment.size() > 2)
    segment = segment.substr(1, segment.size() - 2);
  if (std::ranges::all_of(segment, is_plain)) return "";
  return quoted(segment) + " is neither text, nor {name} for any one segment, nor *";
}

}  // namespace

Result<RoutePattern> parse_route_pattern(std::string_view text) {
  RoutePattern pattern;
  auto path = text;
  if (path.starts_with(kService)) {
    const auto end = path.find(' ');
    pattern.service = path.substr(kService.size(), end - kService.size());
    path = end == path.npos ? std::string_view() : path.substr(end + 1);
    if (pattern.service.empty()) return fail(quoted(text) + " names no service after service=");
  }
  if (!path.starts_with('/'))
    return fail(quoted(text) + " is not a route such as /orders/{id} or service=shop /static/*");
  if (path.size() > kMostRouteBytes)
    return fail(quoted(text) + " is longer than " + std::to_string(kMostRouteBytes) + " bytes");
  for (std::size_t begin = 1; begin <= path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    if (const auto fault = fault_of(path.substr(begin, end - begin), end == path.size());
        !fault.empty())
      return fail(quoted(text) + ": " + fault);
    begin = end + 1;
  }
  pattern.path = path;
  return pattern;
}

std::string route_pattern_text(const RoutePattern& pattern) {
  if (pattern.service.empty()) return pattern.path;
  return std::string(kService) + pattern.service + " " + pattern.path;
}

}  // namespace exa
