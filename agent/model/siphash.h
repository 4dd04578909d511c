// SipHash-2-4: a keyed hash whose results cannot be predicted or steered without the key. Ids and
// seeded randomness come from it. Pure, any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace exa {

using HashKey = std::array<std::uint8_t, 16>;

std::uint64_t siphash64(const HashKey& key, std::span<const std::uint8_t> message);
std::array<std::uint8_t, 16> siphash128(const HashKey& key, std::span<const std::uint8_t> message);

}  // namespace exa
