// The header that a proxy puts before everything else on a connection, to name its own client:
// PROXY protocol, versions 1 and 2. It belongs to no request; what is behind it does.
// Pure, any thread, no allocation.
#pragma once

#include <cstddef>
#include <string_view>

namespace exa {

// What may stand before the first request of a connection, in bytes.
inline constexpr std::size_t kMaxPreambleBytes = 4096;

// Length of the headers at the front of a connection's first bytes; 0 if there is none. One that
// goes on behind these bytes takes up all of them.
std::size_t proxy_header_bytes(std::string_view bytes);

}  // namespace exa
