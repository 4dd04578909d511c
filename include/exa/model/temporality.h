// Since when the points of metrics count: since their series began, or since the points before
// them.
#pragma once

#include <cstdint>

namespace exa {

enum class Temporality : std::uint8_t { kCumulative, kDelta };

}  // namespace exa
