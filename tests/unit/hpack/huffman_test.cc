#include "agent/protocol/http2/hpack/huffman.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "agent/protocol/http2/hpack/huffman_code.h"

namespace exa::hpack {
namespace {

// Bit by bit, padded with ones.
std::string encode(std::string_view text) {
  std::string coded;
  unsigned free_bits = 0;
  const auto add_bit = [&](unsigned bit) {
    if (free_bits == 0) {
      coded += '\0';
      free_bits = 8;
    }
    --free_bits;
    coded.back() = static_cast<char>(coded.back() | static_cast<char>(bit << free_bits));
  };
  for (const char c : text) {
    const auto [bits, length] = kCodes[static_cast<unsigned char>(c)];
    for (auto at = length; at-- > 0;)
      add_bit(bits >> at & 1);
  }
  while (free_bits != 0)
    add_bit(1);
  return coded;
}

// Behind the room stands a guard that must stay.
std::optional<std::string> decode(std::string_view coded, std::size_t room) {
  const std::vector<char> exact(coded.begin(), coded.end());
  std::vector<char> to(room + kHuffmanSlackBytes);
  const auto length = decode_huffman({exact.data(), exact.size()}, to.data(), room);
  if (!length) return std::nullopt;
  return *length <= room ? std::string(to.data(), *length) : std::to_string(*length) + " bytes";
}

TEST(Huffman, HasTheCodesOfTheRfc) {
  const auto is = [](unsigned symbol, std::uint32_t bits, unsigned length) {
    return kCodes[symbol].bits == bits && kCodes[symbol].length == length;
  };
  EXPECT_TRUE(is('0', 0x0, 5));
  EXPECT_TRUE(is('a', 0x3, 5));
  EXPECT_TRUE(is('t', 0x9, 5));
  EXPECT_TRUE(is(' ', 0x14, 6));
  EXPECT_TRUE(is(':', 0x5c, 7));
  EXPECT_TRUE(is('&', 0xf8, 8));
  EXPECT_TRUE(is('!', 0x3f8, 10));
  EXPECT_TRUE(is('+', 0x7fb, 11));
  EXPECT_TRUE(is('#', 0xffa, 12));
  EXPECT_TRUE(is('~', 0x1ffd, 13));
  EXPECT_TRUE(is('}', 0x3ffd, 14));
  EXPECT_TRUE(is('{', 0x7ffe, 15));
  EXPECT_TRUE(is('\\', 0x7fff0, 19));
  EXPECT_TRUE(is(0, 0x1ff8, 13));
  EXPECT_TRUE(is(1, 0x7fffd8, 23));
  EXPECT_TRUE(is(199, 0x1ffffec, 25));
  EXPECT_TRUE(is(255, 0x3ffffee, 26));
  EXPECT_TRUE(is(22, 0x3ffffffe, 30));
}

TEST(Huffman, DecodesEverySymbolAfterEveryOther) {
  for (unsigned first = 0; first < 256; ++first) {
    std::string all;
    for (unsigned second = 0; second < 256; ++second) {
      const std::string two{static_cast<char>(first), static_cast<char>(second)};
      ASSERT_EQ(decode(encode(two), 4096), two);
      all += two;
    }
    ASSERT_EQ(decode(encode(all), 4096), all);
  }
}

TEST(Huffman, DecodesRandomTextsOfEveryLengthIntoAnyRoom) {
  std::mt19937 random(1);
  for (std::size_t length = 0; length < 300; ++length) {
    for (const unsigned most : {16u, 128u, 256u}) {
      std::string text;
      for (std::size_t i = 0; i < length; ++i)
        text += static_cast<char>(most == 16 ? "0123456789abcdef"[random() % 16] : random() % most);
      const auto coded = encode(text);
      ASSERT_EQ(decode(coded, length), text);
      ASSERT_EQ(decode(coded, length + 7), text);
      for (std::size_t room = 0; room < length; room += 13)
        ASSERT_EQ(decode(coded, room), std::to_string(length) + " bytes");
    }
  }
}

TEST(Huffman, RefusesPaddingThatIsNotOnes) {
  // Every last octet behind an "a": the padding's, or more symbols'.
  for (unsigned last = 0; last < 256; ++last) {
    const std::string coded{'\x1f', static_cast<char>(last)};  // 00011 111.....
    const auto text = decode(coded, 16);
    if (text) {
      EXPECT_EQ(encode(*text), coded) << last;
    }
  }
  EXPECT_EQ(decode("\x1f", 16), "a");
  EXPECT_EQ(decode("\x1e", 16), std::nullopt);
  EXPECT_EQ(decode("\xff", 16), std::nullopt);
  EXPECT_EQ(decode("", 16), "");
}

TEST(Huffman, RefusesTheEndOfStringWhereverItStands) {
  for (std::size_t before = 0; before < 40; ++before) {
    for (std::size_t behind = 0; behind < 20; ++behind) {
      const auto coded = encode(std::string(before * 8, 'a')) + "\xff\xff\xff\xff" +
                         encode(std::string(behind * 8, 'a'));
      ASSERT_EQ(decode(coded, 4096), std::nullopt);
    }
  }
}

}  // namespace
}  // namespace exa::hpack
