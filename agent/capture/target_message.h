// How the prober tells the pipeline about a process: one fixed-size message. The same bytes stand
// in event logs. Pure; the decoder trusts nothing.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "exa/base/result.h"
#include "exa/model/target.h"

namespace exa {

inline constexpr std::size_t kTargetMessageBytes = 4096;
using TargetMessage = std::array<std::byte, kTargetMessageBytes>;

// Resource attributes that do not fit are left out, last first.
TargetMessage encode_target(const Target& target);
Result<Target> decode_target(std::span<const std::byte> bytes);

}  // namespace exa
