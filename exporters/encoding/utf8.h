// Text from observed traffic made safe for formats that demand UTF-8. Pure.
#pragma once

#include <string>
#include <string_view>

namespace exa {

bool is_valid_utf8(std::string_view text);

// Each byte that is not part of a well-formed sequence (Unicode table 3-7) becomes U+FFFD.
std::string repair_utf8(std::string_view text);

// Length of the well-formed sequence at the front of text, 0 if there is none.
std::size_t utf8_sequence_bytes(std::string_view text);

}  // namespace exa
