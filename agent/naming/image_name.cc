#include "agent/naming/image_name.h"

namespace exa {

ImageName parse_image(std::string_view image) {
  std::string_view digest;
  if (const auto at = image.find('@'); at != std::string_view::npos) {
    digest = image.substr(at + 1);
    image = image.substr(0, at);
  }
  std::string_view tag;
  const auto slash = image.rfind('/');
  const auto colon = image.rfind(':');
  // A colon before the last slash belongs to the registry's port.
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    tag = image.substr(colon + 1);
    image = image.substr(0, colon);
  }
  ImageName parsed{.name = std::string(image), .version = std::string(tag)};
  if (!digest.empty() && !tag.empty()) parsed.version += '@';
  parsed.version += digest;
  return parsed;
}

}  // namespace exa
