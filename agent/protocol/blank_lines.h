// Empty lines before a message, which readers of text protocols pass over. Pure, no allocation.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace exa {

inline std::size_t leading_blank(std::string_view text) {
  const auto* const begin = std::find_if(text.data(), text.data() + text.size(),
                                         [](char c) { return c != '\r' && c != '\n'; });
  return static_cast<std::size_t>(begin - text.data());
}

inline bool is_blank(std::string_view text) {
  return leading_blank(text) == text.size();
}

}  // namespace exa
