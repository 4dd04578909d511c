// What is no block: a clear result, and a decoder that goes on as one that has just joined.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/hpack/wire.h"

namespace exa::hpack {
namespace {

using ::testing::ElementsAre;

struct Invalid {
  const char* name;
  std::string block;
  BlockStatus status;
};

class Errors : public ::testing::TestWithParam<Invalid> {};

TEST_P(Errors, AreToldAndLeaveTheTableUnknown) {
  Decoder decoder;
  ASSERT_EQ(status_of(decoder, inserted("a", "1")), BlockStatus::kDecoded);
  const auto decoded = decode_all(decoder, indexed(62) + GetParam().block);
  EXPECT_EQ(decoded.result.status, GetParam().status);
  EXPECT_EQ(decoded.lines.at(0), "a: 1");

  const auto after = lines_of(decoder, indexed(2) + indexed(62));
  ASSERT_EQ(after.size(), 2u);
  EXPECT_EQ(after[0], ":method: GET");
  EXPECT_THAT(after[1], ::testing::EndsWith("] ?: ?"));
  EXPECT_THAT(lines_of(decoder, inserted("b", "2") + indexed(62)), ElementsAre("b: 2", "b: 2"));
}

INSTANTIATE_TEST_SUITE_P(
    Blocks, Errors,
    ::testing::Values(
        Invalid{"index_0", indexed(0), BlockStatus::kIndex},
        Invalid{"index_beyond", indexed(63), BlockStatus::kIndex},
        Invalid{"name_index_beyond", inserted(63, "x"), BlockStatus::kIndex},
        Invalid{"name_index_beyond_not_inserted", not_inserted(63, "x"), BlockStatus::kIndex},
        Invalid{"largest_index", indexed(UINT32_MAX), BlockStatus::kIndex},
        Invalid{"index_of_33_bits", indexed(std::uint64_t{1} << 32), BlockStatus::kInteger},
        Invalid{"index_of_six_octets", from_hex("ff808080808000"), BlockStatus::kInteger},
        Invalid{"length_of_33_bits", from_hex("00 7f 81ffffff0f"), BlockStatus::kInteger},
        Invalid{"cut_in_an_index", from_hex("ff80"), BlockStatus::kTruncated},
        Invalid{"cut_before_a_name", from_hex("40"), BlockStatus::kTruncated},
        Invalid{"cut_in_a_name", from_hex("4003 6162"), BlockStatus::kTruncated},
        Invalid{"cut_before_a_value", from_hex("4001 61"), BlockStatus::kTruncated},
        Invalid{"cut_in_a_value", from_hex("4001 61 02 62"), BlockStatus::kTruncated},
        Invalid{"value_longer_than_the_block", from_hex("0001 61 7fffffff0f"),
                BlockStatus::kTruncated},
        Invalid{"size_update_behind_a_field", size_update(100), BlockStatus::kSizeUpdate},
        // "a" is 00011; then padding of zeros, of 8 ones, of a whole octet.
        Invalid{"padding_of_zeros", from_hex("0001 61 81 18"), BlockStatus::kHuffman},
        Invalid{"padding_with_a_zero", from_hex("0001 61 81 1d"), BlockStatus::kHuffman},
        Invalid{"padding_of_8_ones", from_hex("0001 61 81 ff"), BlockStatus::kHuffman},
        Invalid{"padding_of_11_ones", from_hex("0001 61 82 1fff"), BlockStatus::kHuffman},
        Invalid{"end_of_string", from_hex("0001 61 84 ffffffff"), BlockStatus::kHuffman},
        Invalid{"end_of_string_inside", from_hex("0001 61 89 1fffffffff ffffffff"),
                BlockStatus::kHuffman},
        Invalid{"bad_name", from_hex("00 81 ff 01 61"), BlockStatus::kHuffman}),
    [](const auto& param) { return param.param.name; });

TEST(SizeUpdates, MustStayWithinTheLimit) {
  Decoder decoder;
  EXPECT_EQ(status_of(decoder, size_update(4096)), BlockStatus::kDecoded);
  EXPECT_EQ(status_of_copy(decoder, size_update(4097)), BlockStatus::kSizeUpdate);
  decoder.set_limit(8192);
  EXPECT_EQ(status_of_copy(decoder, size_update(8192)), BlockStatus::kDecoded);
  EXPECT_EQ(status_of_copy(decoder, size_update(8193)), BlockStatus::kSizeUpdate);
  decoder.set_limit(0);
  EXPECT_EQ(status_of_copy(decoder, size_update(0)), BlockStatus::kDecoded);
  EXPECT_EQ(status_of_copy(decoder, size_update(1)), BlockStatus::kSizeUpdate);
}

TEST(SizeUpdates, EvictTheOldestThatDoNotFit) {
  Decoder decoder;
  ASSERT_EQ(status_of(decoder, inserted("a", "1") + inserted("b", "2") + inserted("c", "3")),
            BlockStatus::kDecoded);
  ASSERT_EQ(status_of(decoder, size_update(101)), BlockStatus::kDecoded);
  EXPECT_THAT(table_of(decoder), ElementsAre("c: 3", "b: 2"));
  // Down and up again in one block, as an encoder does whose limit was changed twice.
  ASSERT_EQ(status_of(decoder, size_update(34) + size_update(4096)), BlockStatus::kDecoded);
  EXPECT_THAT(table_of(decoder), ElementsAre("c: 3"));
  ASSERT_EQ(status_of(decoder, size_update(0)), BlockStatus::kDecoded);
  EXPECT_EQ(decoder.table().entries(), 0u);
  EXPECT_EQ(status_of(decoder, indexed(62)), BlockStatus::kIndex);
}

TEST(SizeUpdates, OfZeroMakeEveryInsertionEmpty) {
  Decoder decoder;
  EXPECT_THAT(lines_of(decoder, size_update(0) + inserted("a", "1") + inserted("", "")),
              ElementsAre("a: 1", ": "));
  EXPECT_EQ(status_of(decoder, indexed(62)), BlockStatus::kIndex);
}

}  // namespace
}  // namespace exa::hpack
