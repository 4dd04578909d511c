// Text from observed traffic made safe for formats that demand UTF-8. Pure.
#pragma once

#include <string>
#include <string_view>

#include "exa/base/utf8.h"

namespace exa {

bool is_valid_utf8(std::string_view text);

// Each byte that is not part of a well-formed sequence becomes U+FFFD.
std::string repair_utf8(std::string_view text);

}  // namespace exa
