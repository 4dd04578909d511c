// How the body of a message is delimited.
#pragma once

#include <cstdint>

namespace exa::http1 {

enum class BodyKind : std::uint8_t {
  kNone,
  kLength,  // length_bytes, more than zero
  kChunked,
  kUntilClose,  // until the sender closes
  kUnknown,     // the head was cut: the fields that tell were not seen
  kDisputed,    // readers of the head disagree about where it ends: only the answer tells
  kLostChunks,  // chunked, and chunk sizes were among what was not captured
};

struct Framing {
  BodyKind kind = BodyKind::kNone;
  std::uint64_t length_bytes = 0;
  bool operator==(const Framing&) const = default;
};

}  // namespace exa::http1
