#include "agent/model/siphash.h"

#include <bit>
#include <cstring>

namespace exa {
namespace {

std::uint64_t load_le64(const std::uint8_t* bytes) {
  std::uint64_t value = 0;
  for (int i = 7; i >= 0; --i)
    value = value << 8 | bytes[i];
  return value;
}

void store_le64(std::uint8_t* bytes, std::uint64_t value) {
  for (int i = 0; i < 8; ++i)
    bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

struct State {
  std::uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void absorb(std::uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
  std::uint64_t squeeze() {
    for (int i = 0; i < 4; ++i)
      round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

State absorb_all(const HashKey& key, std::span<const std::uint8_t> message, bool wide) {
  const auto k0 = load_le64(key.data());
  const auto k1 = load_le64(key.data() + 8);
  State state{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
              k1 ^ 0x7465646279746573};
  if (wide) state.v1 ^= 0xee;
  std::size_t at = 0;
  for (; at + 8 <= message.size(); at += 8)
    state.absorb(load_le64(message.data() + at));
  std::uint64_t last = static_cast<std::uint64_t>(message.size()) << 56;
  for (std::size_t i = 0; at + i < message.size(); ++i)
    last |= static_cast<std::uint64_t>(message[at + i]) << (8 * i);
  state.absorb(last);
  return state;
}

}  // namespace

std::uint64_t siphash64(const HashKey& key, std::span<const std::uint8_t> message) {
  auto state = absorb_all(key, message, false);
  state.v2 ^= 0xff;
  return state.squeeze();
}

std::array<std::uint8_t, 16> siphash128(const HashKey& key, std::span<const std::uint8_t> message) {
  auto state = absorb_all(key, message, true);
  std::array<std::uint8_t, 16> digest;
  state.v2 ^= 0xee;
  store_le64(digest.data(), state.squeeze());
  state.v1 ^= 0xdd;
  store_le64(digest.data() + 8, state.squeeze());
  return digest;
}

}  // namespace exa
