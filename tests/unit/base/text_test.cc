#include <gtest/gtest.h>

#include <string>

#include "exa/base/ascii.h"
#include "exa/base/hex.h"
#include "exa/base/utf8.h"

namespace exa {
namespace {

TEST(Ascii, LettersAreEqualInAnyCaseAndNothingElseIs) {
  EXPECT_TRUE(equals_ignoring_case("Retry-After", "retry-aFTER"));
  EXPECT_TRUE(equals_ignoring_case("", ""));
  EXPECT_FALSE(equals_ignoring_case("gzip", "gzi"));
  EXPECT_FALSE(equals_ignoring_case("@", "`")) << "one bit apart, as letters are";
  EXPECT_FALSE(equals_ignoring_case("\xc4", "\xe4")) << "letters of Latin-1";
}

TEST(Hex, DigitsAreWrittenInLowerCaseAndReadInBoth) {
  std::string text;
  for (const auto byte : {std::uint8_t{0x00}, std::uint8_t{0x0a}, std::uint8_t{0xff}})
    append_hex(text, byte);
  EXPECT_EQ(text, "000aff");
  EXPECT_EQ(hex_value('9'), 9);
  EXPECT_EQ(hex_value('f'), 15);
  EXPECT_EQ(hex_value('A'), 10);
  for (const char c : {'g', 'G', '/', ':', '@', '`', '\0', '\x11', '\xc1'})
    EXPECT_EQ(hex_value(c), -1) << static_cast<int>(c);
}

TEST(Utf8, OnlyWellFormedSequencesHaveALength) {
  EXPECT_EQ(utf8_sequence_bytes("ab"), 1u);
  EXPECT_EQ(utf8_sequence_bytes("\xc3\xa4"), 2u);
  EXPECT_EQ(utf8_sequence_bytes("\xe2\x82\xac"), 3u);
  EXPECT_EQ(utf8_sequence_bytes("\xf0\x9f\x98\x80!"), 4u);
  for (const char* wrong : {"", "\x80", "\xc3", "\xc1\x81", "\xe0\x9f\xbf", "\xed\xa0\x80",
                            "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82"})
    EXPECT_EQ(utf8_sequence_bytes(wrong), 0u) << wrong;
}

}  // namespace
}  // namespace exa
