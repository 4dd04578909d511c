#include "agent/protocol/http2/hpack/huffman.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "agent/protocol/http2/hpack/huffman_code.h"

namespace exa::hpack {
namespace {

// Most of what headers are made of has codes of 5 to 7 bits: one look at 12 bits often yields two
// symbols. 16 KiB.
constexpr unsigned kLookBits = 12;

struct Look {
  char first = 0;
  char second = 0;
  std::uint8_t bits = 0;  // of both, or of one alone; 0: the code is longer than the look
  std::uint8_t first_bits = 0;
};

constexpr auto kLooks = [] {
  std::array<Look, std::size_t{1} << kLookBits> one{};
  for (std::size_t symbol = 0; symbol < kSymbols; ++symbol) {
    const auto [bits, length] = kCodes[symbol];
    if (length > kLookBits) continue;
    const auto free_bits = kLookBits - length;
    for (std::size_t rest = 0; rest < std::size_t{1} << free_bits; ++rest)
      one[(std::size_t{bits} << free_bits) + rest] = {static_cast<char>(symbol), 0,
                                                      static_cast<std::uint8_t>(length),
                                                      static_cast<std::uint8_t>(length)};
  }
  auto both = one;
  for (std::size_t seen = 0; seen < both.size(); ++seen) {
    auto& look = both[seen];
    if (look.bits == 0) continue;
    const auto& next = one[(seen << look.bits) & (both.size() - 1)];
    if (next.bits == 0 || look.bits + next.bits > kLookBits) continue;
    look.second = next.first;
    look.bits = static_cast<std::uint8_t>(look.bits + next.bits);
  }
  return both;
}();

// Of the codes of one length: where they end when read as the first of 32 bits, and how to get from
// one of them to its place among all symbols in the order of their codes.
struct Length {
  std::uint64_t end = 0;
  std::uint32_t first_code = 0;
  std::uint32_t first_place = 0;
};

struct LongCodes {
  std::array<Length, kLongestCode + 1> lengths{};
  std::array<std::uint16_t, kSymbols> symbols{};
};

constexpr auto kLongCodes = [] {
  LongCodes all;
  std::uint32_t place = 0;
  std::uint64_t end = 0;
  for (unsigned length = kShortestCode; length <= kLongestCode; ++length) {
    auto& row = all.lengths[length];
    row.first_code = static_cast<std::uint32_t>(end >> (32 - length));
    row.first_place = place;
    for (std::size_t symbol = 0; symbol < kSymbols; ++symbol) {
      if (kCodeBits[symbol] != length) continue;
      all.symbols[place++] = static_cast<std::uint16_t>(symbol);
      end += std::uint64_t{1} << (32 - length);
    }
    row.end = end;
  }
  return all;
}();
static_assert(kLongCodes.lengths[kLongestCode].end == std::uint64_t{1} << 32, "a complete code");

struct Symbol {
  unsigned value;
  unsigned bits;
};

Symbol read_long(std::uint64_t window) {
  const auto code = static_cast<std::uint32_t>(window >> 32);
  unsigned length = kLookBits + 1;
  while (code >= kLongCodes.lengths[length].end)
    ++length;
  const auto& row = kLongCodes.lengths[length];
  return {kLongCodes.symbols[row.first_place + (code >> (32 - length)) - row.first_code], length};
}

Symbol read_one(std::uint64_t window) {
  const auto& look = kLooks[window >> (64 - kLookBits)];
  if (look.bits == 0) return read_long(window);
  return {static_cast<unsigned char>(look.first), look.first_bits};
}

// The next bits, the first of them highest. Below those that count there may be more of what
// follows.
class Window {
 public:
  explicit Window(std::string_view coded) : at_(coded.data()), end_(at_ + coded.size()) {}

  // At least 56 bits, or all that is left.
  void fill() {
    if (end_ - at_ >= 8) {
      std::uint64_t next;
      std::memcpy(&next, at_, sizeof next);
      if constexpr (std::endian::native == std::endian::little) next = std::byteswap(next);
      bits_ |= next >> count_;
      at_ += (63 - count_) / 8;
      count_ |= 56;
      return;
    }
    for (; count_ <= 56 && at_ != end_; count_ += 8)
      bits_ |= std::uint64_t{static_cast<unsigned char>(*at_++)} << (56 - count_);
  }
  void take(unsigned bits) {
    bits_ <<= bits;
    count_ -= bits;
  }
  [[nodiscard]] unsigned count() const { return count_; }
  [[nodiscard]] std::uint64_t bits() const { return bits_; }
  // When all was read: with ones behind the last bit, as padding continues.
  [[nodiscard]] std::uint64_t padded() const {
    return count_ == 0 ? ~std::uint64_t{0} : bits_ | (~std::uint64_t{0} >> count_);
  }

 private:
  const char* at_;
  const char* end_;
  std::uint64_t bits_ = 0;
  unsigned count_ = 0;
};

}  // namespace

std::optional<std::size_t> decode_huffman(std::string_view coded, char* to,
                                          std::size_t room_bytes) {
  Window window(coded);
  char* out = to;
  std::size_t overwritten = 0;
  for (window.fill(); window.count() >= kLongestCode; window.fill()) {
    // From 63 bits to 30 there are at most 8 symbols: the slack.
    do {
      const auto& look = kLooks[window.bits() >> (64 - kLookBits)];
      if (look.bits != 0) {
        out[0] = look.first;
        out[1] = look.second;
        out += look.bits == look.first_bits ? 1 : 2;
        window.take(look.bits);
        continue;
      }
      const auto symbol = read_long(window.bits());
      if (symbol.value == kEndOfString) return std::nullopt;
      *out++ = static_cast<char>(symbol.value);
      window.take(symbol.bits);
    } while (window.count() >= kLongestCode);
    if (out > to + room_bytes) {
      overwritten += static_cast<std::size_t>(out - to);
      out = to;
    }
  }
  while (window.count() != 0) {
    const auto symbol = read_one(window.padded());
    if (symbol.bits > window.count()) break;
    *out++ = static_cast<char>(symbol.value);
    window.take(symbol.bits);
  }
  if (window.count() > 7 || window.padded() != ~std::uint64_t{0}) return std::nullopt;
  return overwritten + static_cast<std::size_t>(out - to);
}

}  // namespace exa::hpack
