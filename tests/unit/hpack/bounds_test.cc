// What is held, and what becomes of more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/unit/hpack/wire.h"

namespace exa::hpack {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::StartsWith;

TEST(Bounds, ATableOf4096BytesIsHeldWhole) {
  // Empty entries, 128 of them; entries of one text, over 4,000 bytes long; and all between.
  for (const std::size_t bytes : {0, 1, 2, 31, 33, 100, 500, 1000, 1321, 1999, 2016, 4000, 4063}) {
    Decoder decoder;
    const std::size_t fitting = 4096 / (bytes + 33);
    Lines expected;
    for (int i = 0; i < 300; ++i) {
      const std::string value(bytes, static_cast<char>('a' + i % 26));
      ASSERT_EQ(status_of(decoder, inserted("n", value)), BlockStatus::kDecoded);
      expected.insert(expected.begin(), "n: " + value);
      if (expected.size() > fitting) expected.pop_back();
      ASSERT_EQ(table_of(decoder), expected) << bytes;
    }
    ASSERT_EQ(status_of(decoder, indexed(62 + fitting)), BlockStatus::kIndex);
  }
}

TEST(Bounds, EmptyEntriesAre128) {
  Decoder decoder;
  for (int i = 0; i < 200; ++i)
    ASSERT_EQ(status_of(decoder, inserted("", "")), BlockStatus::kDecoded);
  EXPECT_EQ(decoder.table().entries(), 128u);
  EXPECT_THAT(lines_of(decoder, indexed(61 + 128)), ElementsAre(": "));
  EXPECT_EQ(status_of(decoder, indexed(62 + 128)), BlockStatus::kIndex);
}

TEST(Bounds, AnEntryLargerThanTheTableEmptiesIt) {
  Decoder decoder;
  ASSERT_EQ(status_of(decoder, inserted("a", "1")), BlockStatus::kDecoded);
  EXPECT_THAT(lines_of(decoder, inserted("n", std::string(4064, 'x'))),
              ElementsAre("n: " + std::string(4064, 'x')));
  EXPECT_EQ(decoder.table().entries(), 0u);
  EXPECT_EQ(status_of(decoder, indexed(62)), BlockStatus::kIndex);
}

TEST(Bounds, ANameMayComeFromTheEntryThatIsEvictedForIt) {
  Decoder decoder;
  const std::string name(2000, 'n');
  ASSERT_EQ(status_of(decoder, inserted(name, std::string(1500, 'v'))), BlockStatus::kDecoded);
  const std::string value(1800, 'w');
  EXPECT_THAT(lines_of(decoder, inserted(62, value)), ElementsAre(name + ": " + value));
  EXPECT_THAT(table_of(decoder), ElementsAre(name + ": " + value));
}

TEST(Bounds, ATextOver4096BytesIsSkipped) {
  Decoder decoder;
  const std::string most(4096, 'x');
  EXPECT_THAT(lines_of(decoder, not_inserted("n", most) + not_inserted("n", most + "x") +
                                    not_inserted(most + "x", "v") + indexed(2)),
              ElementsAre("n: " + most, "n: ?", "?: v", ":method: GET"));
  // The same in Huffman code: "0" is five zeros.
  const std::string zeros = '\0' + std::string("\x01n", 2);
  EXPECT_THAT(lines_of(decoder, zeros + integer(0x80, 7, 2560) + std::string(2560, '\0')),
              ElementsAre("n: " + std::string(4096, '0')));
  EXPECT_THAT(lines_of(decoder, zeros + integer(0x80, 7, 2565) + std::string(2565, '\0')),
              ElementsAre("n: ?"));
}

TEST(Bounds, ALongTextOfALargeTableCountsWithItsLength) {
  Decoder decoder;
  decoder.set_limit(10'000);
  ASSERT_EQ(status_of(decoder, size_update(10'000)), BlockStatus::kDecoded);
  ASSERT_EQ(status_of(decoder, inserted("a", "1") + inserted("long", std::string(5'000, 'x'))),
            BlockStatus::kDecoded);
  EXPECT_EQ(decoder.table().held_bytes(), 34u + 5'036u);
  // Its name is known; its own number tells that the value is always the same.
  EXPECT_THAT(lines_of(decoder, indexed(62) + indexed(63) + not_inserted(62, "short")),
              ElementsAre("[2] long: ?", "a: 1", "long: short"));
  // 34 + 5,036 + 4,930 are 10,000: whatever comes then evicts the oldest.
  ASSERT_EQ(status_of(decoder, inserted("b", std::string(4'897, 'y'))), BlockStatus::kDecoded);
  EXPECT_THAT(table_of(decoder), ElementsAre("[3] b: ?", "[2] long: ?", "a: 1"));
  ASSERT_EQ(status_of(decoder, inserted("c", "")), BlockStatus::kDecoded);
  EXPECT_THAT(table_of(decoder), ElementsAre("c: ", "[3] b: ?", "[2] long: ?"));
  ASSERT_EQ(status_of(decoder, inserted("d", "")), BlockStatus::kDecoded);
  EXPECT_THAT(table_of(decoder), ElementsAre("d: ", "c: ", "[3] b: ?"));
}

TEST(Bounds, BelowWhatIsHeldOfALargeTableAllIsUnknownAndNothingWrong) {
  Decoder decoder;
  decoder.set_limit(65'536);
  EXPECT_FALSE(decoder.wants_large_table());
  ASSERT_EQ(status_of(decoder, size_update(65'536)), BlockStatus::kDecoded);
  EXPECT_TRUE(decoder.wants_large_table());
  for (int i = 1; i <= 200; ++i)
    ASSERT_EQ(status_of(decoder, inserted("n", std::to_string(i))), BlockStatus::kDecoded);
  // 128 entries are held of 200; the numbers of the others count from the start.
  EXPECT_THAT(lines_of(decoder, indexed(62) + indexed(61 + 128) + indexed(61 + 129) +
                                    indexed(61 + 200) + not_inserted(61 + 200, "v")),
              ElementsAre("n: 200", "n: 73", "[72] ?: ?", "[1] ?: ?", "[1] ?: v"));
  ASSERT_EQ(status_of(decoder, inserted("n", "201")), BlockStatus::kDecoded);
  EXPECT_THAT(lines_of(decoder, indexed(61 + 130) + indexed(61 + 201)),
              ElementsAre("[72] ?: ?", "[1] ?: ?"));
  // No table of 65,536 bytes has so many.
  EXPECT_EQ(status_of(decoder, indexed(61 + 2048)), BlockStatus::kIndex);
}

TEST(Bounds, ALentTableHolds16KiB) {
  const auto room = std::make_unique<LargeTableRoom>();
  Decoder decoder;
  decoder.set_limit(16'384);
  ASSERT_EQ(status_of(decoder, inserted("n", "0")), BlockStatus::kDecoded);
  ASSERT_EQ(status_of(decoder, size_update(16'384)), BlockStatus::kDecoded);
  ASSERT_TRUE(decoder.wants_large_table());
  decoder.use_large_table(*room);
  EXPECT_FALSE(decoder.wants_large_table());
  EXPECT_THAT(table_of(decoder), ElementsAre("n: 0"));
  Lines expected;
  std::size_t held = 0;
  for (std::size_t i = 1; i <= 2'000; ++i) {
    const std::string value(i * 37 % 500, static_cast<char>('a' + i % 26));
    ASSERT_EQ(status_of(decoder, inserted("n", value)), BlockStatus::kDecoded);
    expected.insert(expected.begin(), "n: " + value);
    held = 0;
    for (std::size_t at = 0; at < expected.size(); ++at) {
      held += expected[at].size() + 30;
      if (held > 16'384) expected.resize(at);
    }
    if (i % 100 == 0) {
      ASSERT_EQ(table_of(decoder), expected);
    }
  }
  ASSERT_EQ(status_of(decoder, indexed(62 + expected.size())), BlockStatus::kIndex);
  decoder.restart(Start::kFromStart);
  ASSERT_EQ(status_of(decoder, inserted("n", "1")), BlockStatus::kDecoded);
  EXPECT_THAT(table_of(decoder), ElementsAre("n: 1"));
}

TEST(Bounds, AJoinedDecoderHoldsItsOwnBounds) {
  Decoder decoder(Start::kJoined);
  for (int i = 1; i <= 1'000; ++i)
    ASSERT_EQ(status_of(decoder, inserted(62, std::string(static_cast<std::size_t>(i % 200), 'v'))),
              BlockStatus::kDecoded);
  EXPECT_LE(decoder.table().entries(), 128u);
  const auto table = table_of(decoder);
  EXPECT_GT(table.size(), 10u);
  EXPECT_THAT(table, Each(StartsWith("[-1] ?: ")));
  // Longer than the room together: the name is held, and the value counted only.
  ASSERT_EQ(status_of(decoder, inserted(std::string(4'000, 'n'), std::string(4'000, 'v'))),
            BlockStatus::kDecoded);
  EXPECT_THAT(lines_of(decoder, indexed(62)),
              ElementsAre("[1001] " + std::string(4'000, 'n') + ": ?"));
  ASSERT_EQ(status_of(decoder, inserted(std::string(4'096, 'n'), std::string(4'096, 'v'))),
            BlockStatus::kDecoded);
  EXPECT_THAT(lines_of(decoder, indexed(62) + indexed(63)),
              ElementsAre("[1002] ?: ?", "[1001] " + std::string(4'000, 'n') + ": ?"));
}

TEST(Bounds, ABlockTells64Fields) {
  Decoder decoder;
  std::string block;
  for (int i = 0; i < 70; ++i)
    block += inserted("n", std::to_string(i));
  const auto decoded = decode_all(decoder, block);
  EXPECT_EQ(decoded.result.status, BlockStatus::kDecoded);
  EXPECT_EQ(decoded.lines.size(), 64u);
  EXPECT_EQ(decoded.result.fields, 64u);
  EXPECT_EQ(decoded.result.dropped_fields, 6u);
  EXPECT_THAT(lines_of(decoder, indexed(62)), ElementsAre("n: 69"));
}

TEST(Bounds, ABlockTells16KiBOfText) {
  Decoder decoder;
  std::string block = inserted("n", std::string(4'000, 'v'));
  for (int i = 0; i < 9; ++i)
    block += indexed(62);
  const auto decoded = decode_all(decoder, block);
  EXPECT_EQ(decoded.result.status, BlockStatus::kDecoded);
  EXPECT_EQ(decoded.result.fields, 4u);
  EXPECT_EQ(decoded.result.dropped_fields, 6u);
}

TEST(Bounds, ABlockMayBeEmpty) {
  Decoder decoder;
  EXPECT_EQ(status_of(decoder, ""), BlockStatus::kDecoded);
}

}  // namespace
}  // namespace exa::hpack
