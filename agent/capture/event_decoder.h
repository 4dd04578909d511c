// The one door through which the kernel's bytes come in: a ring record becomes a typed Event, or
// the reason why not. Nobody past it sees the layout of exa/abi.
// Pure, any thread. No allocation. The bytes of a ChunkEvent are borrowed from the record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>

#include "agent/capture/events.h"

namespace exa {

enum class DecodeError : std::uint8_t {
  kTruncated,    // shorter than its type, or than it says itself
  kUnknownType,  // written by another version of the programs
  kBadLength,    // more bytes captured than there were, or than the record holds
  kBadField,     // a value outside its enumeration
};

std::expected<Event, DecodeError> decode_event(std::span<const std::byte> record);

}  // namespace exa
