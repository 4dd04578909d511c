// An image's name as people write it, in its parts. Pure.
#pragma once

#include <string>
#include <string_view>

namespace exa {

struct ImageName {
  std::string name;     // registry.example/shop/checkout
  std::string version;  // tag, tag@digest or digest; empty if it has neither
};
ImageName parse_image(std::string_view image);

}  // namespace exa
