// Text from observed traffic for a terminal. Pure.
#pragma once

#include <string>
#include <string_view>

namespace exa {

// Control characters (C0, DEL, C1) and bytes that are not UTF-8 become "\xNN", so that nothing
// observed can move a cursor, set a title or start a line.
std::string terminal_safe(std::string_view text);

// The columns that valid UTF-8 takes on a terminal.
std::size_t columns_of(std::string_view text);

// At most `columns` wide, the last one "…" if cut.
std::string fitted(std::string_view text, std::size_t columns);

}  // namespace exa
