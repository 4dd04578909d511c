// The last part of a path. Pure.
#pragma once

#include <string_view>

namespace exa {

// Empty of a path that ends with '/'.
constexpr std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace exa
