// What the first bytes of a direction, or of a run of it, say of a protocol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace exa {

enum class Side : std::uint8_t { kUnclear, kRequest, kResponse };  // which of the two speaks

// kYes means that a message of the protocol may start here; its parser has the last word.
struct Detection {
  enum class Verdict : std::uint8_t { kNo, kNeedMore, kYes } verdict = Verdict::kNo;
  Side side = Side::kUnclear;
  std::size_t skipped = 0;  // bytes in front, which are no part of a message: empty lines

  [[nodiscard]] bool starts(Side of) const { return verdict == Verdict::kYes && side == of; }
};

// Pure, no allocation.
using Detect = Detection (*)(std::string_view first_bytes);

}  // namespace exa
