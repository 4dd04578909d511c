// Turns a request path into a name of low cardinality, and takes secrets out of paths. Pure.
#pragma once

#include <string>
#include <string_view>

namespace exa {

// "/users/4711/orders/2024-05-01" -> "/users/{id}/orders/{date}". Numbers, UUIDs, long hex, dates
// and long mixed tokens become placeholders; at most kMaxTemplateSegments segments are kept. Braces
// that were sent are percent-encoded, so that only placeholders have any.
// `cut`: the path is only the first part of what was sent, its last segment may be incomplete.
inline constexpr int kMaxTemplateSegments = 8;
std::string path_template(std::string_view path, bool cut);

// The path as an attribute: valid text, segments that look like a credential become "{token}",
// path parameters (";jsessionid=...") are left out.
std::string presentable_path(std::string_view path);

}  // namespace exa
