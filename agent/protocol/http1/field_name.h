// Names of header fields, and words in their values: where one ends, and whether it is one that is
// known. Many bytes at a time, since every byte of every head passes here.
// Pure, no allocation; never reads past the bytes it was given.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace exa::http1 {

// Token characters of RFC 9110 section 5.6.2.
inline constexpr auto kTokenCharacter = [] {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c)
    table[c] = true;
  for (int c = 'a'; c <= 'z'; ++c)
    table[c] = table[c - 0x20] = true;
  for (const char c : {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'})
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();

// How many characters at the front of the line are of a token. From its front on so many bytes can
// be read, as lines are short and others follow.
inline std::size_t token_length(std::string_view line, std::size_t readable_bytes) {
  std::size_t length = 0;
#if defined(__SSE2__)
  // Letters and '-', of which nearly all names are made, 16 at a time.
  while (length < line.size() && length + 16 <= readable_bytes) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(line.data() + length));
    const __m128i from_a =
        _mm_sub_epi8(_mm_or_si128(block, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
    const __m128i letter = _mm_cmpeq_epi8(_mm_min_epu8(from_a, _mm_set1_epi8('z' - 'a')), from_a);
    const __m128i hyphen = _mm_cmpeq_epi8(block, _mm_set1_epi8('-'));
    const auto common = static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_or_si128(letter, hyphen)));
    length += static_cast<std::size_t>(std::countr_one(common));
    if (common != 0xffff) break;
  }
  length = std::min(length, line.size());
#endif
  while (length < line.size() && kTokenCharacter[static_cast<unsigned char>(line[length])])
    ++length;
  return length;
}

// A word in lower case, of letters, digits and '-' only, to compare others with in any case.
template <std::size_t SizeAndZero>
class LowerCaseWord {
  static constexpr std::size_t kSize = SizeAndZero - 1;

 public:
  consteval explicit LowerCaseWord(const char (&text)[SizeAndZero]) {
    for (std::size_t i = 0; i < kSize; ++i)
      text_[i] = text[i];
  }

  [[nodiscard]] bool equals(std::string_view text) const {
    if (text.size() != kSize) return false;
    if constexpr (kSize < 8) {
      return differing<std::uint32_t>(text) == 0;
    } else {
      return differing<std::uint64_t>(text) == 0;
    }
  }

 private:
  // Whole words, the last of which ends with the text.
  template <typename Word>
  [[nodiscard]] Word differing(std::string_view text) const {
    static_assert(kSize >= sizeof(Word));
    constexpr auto kLowerCase = static_cast<Word>(0x2020202020202020);
    Word difference = 0;
    for (std::size_t at = 0;; at += sizeof(Word)) {
      if (at + sizeof(Word) > kSize) at = kSize - sizeof(Word);
      Word theirs;
      Word ours;
      std::memcpy(&theirs, text.data() + at, sizeof theirs);
      std::memcpy(&ours, text_.data() + at, sizeof ours);
      difference |= (theirs | kLowerCase) ^ ours;
      if (at + sizeof(Word) == kSize) return difference;
    }
  }

  std::array<char, kSize> text_{};
};

}  // namespace exa::http1
