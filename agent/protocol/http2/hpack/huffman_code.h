// The Huffman code of RFC 7541 appendix B. It is canonical: codes of one length count upward in the
// order of their symbols, and a longer code continues where the shorter ones end. So the lengths
// say all of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace exa::hpack {

inline constexpr unsigned kEndOfString = 256;
inline constexpr std::size_t kSymbols = 257;
inline constexpr unsigned kShortestCode = 5;
inline constexpr unsigned kLongestCode = 30;

// Bits of the code of each octet, and of the end of the string.
// clang-format off
inline constexpr std::array<std::uint8_t, kSymbols> kCodeBits{
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
};
// clang-format on

struct Code {
  std::uint32_t bits;  // in the low ones
  unsigned length;
};

inline constexpr auto kCodes = [] {
  std::array<Code, kSymbols> codes{};
  std::uint32_t next = 0;
  for (unsigned length = kShortestCode; length <= kLongestCode; ++length) {
    for (std::size_t symbol = 0; symbol < kSymbols; ++symbol) {
      if (kCodeBits[symbol] == length) codes[symbol] = {next++, length};
    }
    next <<= 1;
  }
  return codes;
}();
static_assert(kCodes[kEndOfString].bits == 0x3fffffff);

}  // namespace exa::hpack
