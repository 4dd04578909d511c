// Tells a text that was written whole from one that was not. Pure.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string_view>

namespace exa {

inline std::uint32_t checksum(std::string_view text) {
  return static_cast<std::uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())));
}

}  // namespace exa
