// The text of /proc/PID/maps, with file names that the observed process chose.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/discovery/tls/mapped_images.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = data[0] + std::size_t{1};
  exa::MapsParser whole;
  exa::MapsParser pieces;
  whole.feed(text);
  whole.finish();
  for (std::size_t at = 0; at < text.size(); at += piece)
    pieces.feed(text.substr(at, piece));
  pieces.finish();
  // However the text arrives, it says the same.
  if (whole.images().size() != pieces.images().size() ||
      whole.malformed_lines() != pieces.malformed_lines())
    std::abort();
  for (const auto& image : whole.images())
    if (image.start >= image.end || image.inode == 0) std::abort();
  return 0;
}
