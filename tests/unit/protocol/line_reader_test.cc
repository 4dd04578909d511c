#include "agent/protocol/http1/line_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "agent/protocol/http1/field_name.h"

namespace exa::http1 {
namespace {

TEST(LineReader, FindsTheEndOfALineOfAnyLengthAnywhere) {
  for (std::size_t before = 0; before < 70; ++before) {
    for (std::size_t length = 0; length < 140; ++length) {
      const std::string first(before, '\t');  // as low as a line's end, and none
      const std::string second(length, 'x');
      const auto text = first + "\n" + second + "\r\n\r\n";
      LineReader lines(text);
      std::string_view line;
      ASSERT_EQ(lines.next(line), LineReader::Got::kLine);
      ASSERT_EQ(line, first);
      ASSERT_EQ(lines.next(line), LineReader::Got::kLine) << before << " " << length;
      ASSERT_EQ(line, second);
      ASSERT_EQ(lines.next(line), LineReader::Got::kLine);
      ASSERT_TRUE(line.empty());
      ASSERT_TRUE(lines.at_end());
    }
  }
}

TEST(LineReader, SaysWhatIsThereOfALineThatIsCut) {
  for (std::size_t length = 0; length < 140; ++length) {
    const std::string text(length, 'x');
    std::string_view line;
    EXPECT_EQ(LineReader(text).next(line), LineReader::Got::kIncomplete);
    EXPECT_EQ(line, text);
    const auto with_cr = text + '\r';
    EXPECT_EQ(LineReader(with_cr).next(line), LineReader::Got::kIncomplete);
    const auto with_nul = text + std::string("\0\r\n", 3);
    EXPECT_EQ(LineReader(with_nul).next(line), LineReader::Got::kInvalid);
    const auto bare_cr = text + "\rx\r\n";
    EXPECT_EQ(LineReader(bare_cr).next(line), LineReader::Got::kInvalid);
  }
}

TEST(TokenLength, EndsWithTheFirstCharacterThatIsNotOfAToken) {
  for (int c = 0; c < 256; ++c) {
    const bool token = kTokenCharacter[static_cast<std::size_t>(c)];
    for (std::size_t before = 0; before < 40; ++before) {
      const auto name = std::string(before, before % 2 == 0 ? 'q' : '-') + static_cast<char>(c);
      for (const auto* after : {"", ": and some text behind it"}) {
        const auto line = name + ":" + after;
        ASSERT_EQ(token_length(line, line.size()), token ? before + 1 : before) << c;
        const auto lines = line + "\r\nname: of the next line";
        ASSERT_EQ(token_length(std::string_view(lines).substr(0, line.size()), lines.size()),
                  token ? before + 1 : before)
            << c;
      }
    }
  }
}

TEST(LowerCaseWord, EqualsItselfInAnyCase) {
  constexpr LowerCaseWord kName("transfer-encoding");
  EXPECT_TRUE(kName.equals("Transfer-Encoding"));
  EXPECT_TRUE(kName.equals("TRANSFER-ENCODING"));
  const std::string name = "transfer-encoding";
  for (std::size_t i = 0; i < name.size(); ++i) {
    auto other = name;
    other[i] ^= 1;
    EXPECT_FALSE(kName.equals(other)) << other;
  }
  EXPECT_FALSE(kName.equals("transfer-encodin"));
  EXPECT_FALSE(LowerCaseWord("close").equals("clone"));
  EXPECT_TRUE(LowerCaseWord("close").equals("Close"));
}

}  // namespace
}  // namespace exa::http1
