// What a hostile process publishes of itself: whatever it is, it comes out as pairs within bounds.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "agent/config/value_text.h"
#include "agent/discovery/published_resource.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto said = exa::parse_published(std::as_bytes(std::span(data, size)));
  if (said.service_name.size() > size || said.resource_attributes.size() > exa::kMaxPublishedText)
    std::abort();
  for (const auto& [key, value] : exa::parse_pairs(said.resource_attributes))
    if (key.size() > size || value.size() > size + 512) std::abort();
  return 0;
}
