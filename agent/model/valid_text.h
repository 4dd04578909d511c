// Valid UTF-8 out of whatever a process calls itself: other bytes and controls become '?'. Pure.
#pragma once

#include <string>
#include <string_view>

namespace exa {

std::string valid_text(std::string_view text);

}  // namespace exa
