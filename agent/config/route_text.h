// Patterns of routes as text and back: "/orders/{id}", "service=shop /static/*". Pure. Every error
// says what was expected.
#pragma once

#include <string>
#include <string_view>

#include "agent/model/route_settings.h"
#include "exa/base/result.h"

namespace exa {

Result<RoutePattern> parse_route_pattern(std::string_view text);
std::string route_pattern_text(const RoutePattern& pattern);

}  // namespace exa
