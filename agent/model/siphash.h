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

// The longer hash, for messages that begin alike: what they have in common is hashed once.
class SipHash128Prefix {
 public:
  // common: whole words of 8 bytes.
  SipHash128Prefix(const HashKey& key, std::span<const std::uint8_t> common);
  // Of common and rest in a row.
  [[nodiscard]] std::array<std::uint8_t, 16> digest(std::span<const std::uint8_t> rest) const;

 private:
  std::array<std::uint64_t, 4> state_;
  std::size_t size_bytes_;
};

}  // namespace exa
