// Text that may come from anywhere, such as what a process calls itself, as valid and printable
// UTF-8: other bytes and controls become '?'. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace exa {

// At most max_bytes, and whole characters.
std::string clean_text(std::string_view text, std::size_t max_bytes);

}  // namespace exa
