// Whether a path looks like a pattern. Pure.
#pragma once

#include <string_view>

namespace exa {

// The first segment of a path behind its slash, and what remains, from the next slash on.
struct FirstSegment {
  std::string_view segment;
  std::string_view rest;
};
constexpr FirstSegment first_segment(std::string_view path) {
  if (!path.empty() && path.front() == '/') path.remove_prefix(1);
  const auto end = path.find('/');
  if (end == std::string_view::npos) return {.segment = path, .rest = {}};
  return {.segment = path.substr(0, end), .rest = path.substr(end)};
}

constexpr bool is_placeholder(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

// cut: the path is only the beginning of what was sent; it matches only what a * covers from there.
// A slash at the end of a path makes it another one, as it does for most servers.
constexpr bool matches_route(std::string_view pattern, std::string_view path, bool cut) {
  if (path.empty() || path.front() != '/') return false;
  while (true) {
    if (pattern == "/*") return path.starts_with('/');
    if (pattern.empty() || path.empty()) return pattern.empty() && path.empty() && !cut;
    const auto wanted = first_segment(pattern);
    const auto given = first_segment(path);
    if (cut && given.rest.empty()) return false;
    const bool same =
        is_placeholder(wanted.segment) ? !given.segment.empty() : wanted.segment == given.segment;
    if (!same) return false;
    pattern = wanted.rest;
    path = given.rest;
  }
}

}  // namespace exa
