// Reads a text from its front, part by part. Pure.
#pragma once

#include <string_view>

namespace exa {

// Takes the text up to the separator off the front, and the separator with it; all of it if there
// is none.
constexpr std::string_view take_until(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const auto taken = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return taken;
}

}  // namespace exa
