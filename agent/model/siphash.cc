#include "agent/model/siphash.h"

#include <bit>
#include <cstring>

namespace exa {
namespace {

constexpr std::size_t kWordBytes = 8;

constexpr std::uint64_t little_endian(std::uint64_t value) {
  if constexpr (std::endian::native == std::endian::little) return value;
  return __builtin_bswap64(value);
}

std::uint64_t load_le64(const std::uint8_t* bytes) {
  std::uint64_t value;
  std::memcpy(&value, bytes, sizeof value);
  return little_endian(value);
}

void store_le64(std::uint8_t* bytes, std::uint64_t value) {
  value = little_endian(value);
  std::memcpy(bytes, &value, sizeof value);
}

struct State {
  std::uint64_t v0, v1, v2, v3;

  explicit State(const HashKey& key) {
    const auto k0 = load_le64(key.data());
    const auto k1 = load_le64(key.data() + kWordBytes);
    v0 = k0 ^ 0x736f6d6570736575;
    v1 = k1 ^ 0x646f72616e646f6d;
    v2 = k0 ^ 0x6c7967656e657261;
    v3 = k1 ^ 0x7465646279746573;
  }
  explicit State(const std::array<std::uint64_t, 4>& v) : v0(v[0]), v1(v[1]), v2(v[2]), v3(v[3]) {}

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
  // All whole words of message; returns what is left.
  std::span<const std::uint8_t> absorb_words(std::span<const std::uint8_t> message) {
    for (; message.size() >= kWordBytes; message = message.subspan(kWordBytes))
      absorb(load_le64(message.data()));
    return message;
  }
  // The last, incomplete word of a message of that size.
  void absorb_end(std::span<const std::uint8_t> rest, std::size_t message_bytes) {
    std::uint64_t last = static_cast<std::uint64_t>(message_bytes) << 56;
    for (std::size_t i = 0; i < rest.size(); ++i)
      last |= static_cast<std::uint64_t>(rest[i]) << (8 * i);
    absorb(last);
  }
  std::uint64_t squeeze() {
    for (int i = 0; i < 4; ++i)
      round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

}  // namespace

std::uint64_t siphash64(const HashKey& key, std::span<const std::uint8_t> message) {
  State state(key);
  state.absorb_end(state.absorb_words(message), message.size());
  state.v2 ^= 0xff;
  return state.squeeze();
}

SipHash128Prefix::SipHash128Prefix(const HashKey& key, std::span<const std::uint8_t> common)
    : size_bytes_(common.size()) {
  State state(key);
  state.v1 ^= 0xee;
  state.absorb_words(common);
  state_ = {state.v0, state.v1, state.v2, state.v3};
}

std::array<std::uint8_t, 16> SipHash128Prefix::digest(std::span<const std::uint8_t> rest) const {
  State state(state_);
  state.absorb_end(state.absorb_words(rest), size_bytes_ + rest.size());
  std::array<std::uint8_t, 16> digest;
  state.v2 ^= 0xee;
  store_le64(digest.data(), state.squeeze());
  state.v1 ^= 0xdd;
  store_le64(digest.data() + kWordBytes, state.squeeze());
  return digest;
}

}  // namespace exa
