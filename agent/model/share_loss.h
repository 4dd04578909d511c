// The tables of the pipeline in which every process has a share, and what one lost since it holds
// more than its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "exa/base/inline_string.h"

namespace exa {

enum class Place : std::uint8_t { kConnection, kRequest, kHead, kLargeHead };
inline constexpr std::size_t kPlaceKinds = 4;

struct ShareLoss {
  std::uint32_t tgid = 0;
  InlineString<16> comm;  // as the kernel announced it
  std::array<std::uint64_t, kPlaceKinds> lost{};
};

}  // namespace exa
