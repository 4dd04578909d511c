// The GNU build id: names one build of one file, wherever it lies.
#pragma once

#include <optional>
#include <string>

#include "agent/discovery/elf/elf_image.h"

namespace exa {

// In hexadecimal, as readelf prints it; nothing if the image has none.
[[nodiscard]] std::optional<std::string> read_build_id(ElfImage& image);

}  // namespace exa
