// A decoder that comes late, or misses a part.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/hpack/wire.h"

namespace exa::hpack {
namespace {

using ::testing::ElementsAre;

TEST(Joined, KnowsWhatDoesNotComeFromBefore) {
  Decoder decoder(Start::kJoined);
  // RFC 7541 C.4.3, whose first two requests were not seen.
  const auto block = from_hex("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf");
  EXPECT_THAT(lines_of(decoder, block),
              ElementsAre(":method: GET", ":scheme: https", ":path: /index.html", "[-2] ?: ?",
                          "custom-key: custom-value"));
  // The same again: what was inserted since is known, the other one has the same number.
  EXPECT_THAT(lines_of(decoder, indexed(62) + indexed(64)),
              ElementsAre("custom-key: custom-value", "[-2] ?: ?"));
}

TEST(Joined, CallsAnUnknownEntryTheSameForEver) {
  Decoder decoder(Start::kJoined);
  EXPECT_THAT(lines_of(decoder, indexed(62) + indexed(63) + indexed(70)),
              ElementsAre("[-1] ?: ?", "[-2] ?: ?", "[-9] ?: ?"));
  ASSERT_EQ(status_of(decoder, inserted("a", "1") + inserted("b", "2")), BlockStatus::kDecoded);
  EXPECT_THAT(lines_of(decoder, indexed(64) + indexed(65) + indexed(72)),
              ElementsAre("[-1] ?: ?", "[-2] ?: ?", "[-9] ?: ?"));
}

TEST(Joined, KnowsTheValueBehindAnUnknownName) {
  Decoder decoder(Start::kJoined);
  EXPECT_THAT(lines_of(decoder, inserted(63, "one") + not_inserted(65, "two")),
              ElementsAre("[-2] ?: one", "[-3] ?: two"));
  // The entry's name is that of the second before the join for as long as it is there.
  EXPECT_THAT(lines_of(decoder, indexed(62)), ElementsAre("[-2] ?: one"));
  EXPECT_THAT(lines_of(decoder, inserted(62, "three") + indexed(62)),
              ElementsAre("[-2] ?: three", "[-2] ?: three"));
}

TEST(Joined, GivesNoNumberToALongValueThatMayBeAnotherNextTime) {
  Decoder decoder(Start::kJoined);
  EXPECT_THAT(lines_of(decoder, not_inserted(62, std::string(4'097, 'x'))), ElementsAre("?: ?"));
}

TEST(Joined, TakesAnyIndexFor32Bits) {
  Decoder decoder(Start::kJoined);
  EXPECT_THAT(lines_of(decoder, indexed(UINT32_MAX)), ElementsAre("[-4294967234] ?: ?"));
  EXPECT_EQ(status_of(decoder, indexed(0)), BlockStatus::kIndex);
}

TEST(Joined, KnowsTheWholeTableOnceItWasEmptied) {
  Decoder decoder(Start::kJoined);
  EXPECT_TRUE(decoder.table().may_have_older());
  EXPECT_THAT(lines_of(decoder, size_update(0) + size_update(4096) + inserted("a", "1")),
              ElementsAre("a: 1"));
  EXPECT_FALSE(decoder.table().may_have_older());
  EXPECT_EQ(status_of(decoder, indexed(63)), BlockStatus::kIndex);
}

TEST(Joined, KnowsTheWholeTableOnceItIsFullOfWhatCameSince) {
  Decoder decoder(Start::kJoined);
  // An update tells the size of the table, 100 bytes: of which 34 each are taken.
  EXPECT_THAT(
      lines_of(decoder, size_update(100) + inserted("a", "1") + inserted("b", "2") + indexed(64)),
      ElementsAre("a: 1", "b: 2", "[-1] ?: ?"));
  EXPECT_EQ(status_of_copy(decoder, indexed(65)), BlockStatus::kIndex);
  // 100 - 68 bytes are room for one older entry, if it is empty; 100 - 69 are not.
  EXPECT_THAT(lines_of(decoder, inserted("c", "33") + indexed(63)), ElementsAre("c: 33", "b: 2"));
  EXPECT_EQ(status_of(decoder, indexed(64)), BlockStatus::kIndex);
}

TEST(Joined, EvictsOnlyWhatIsCertainlyGone) {
  Decoder decoder(Start::kJoined);
  // The unknown name may be long: the entry has 32 bytes and its value's at least.
  ASSERT_EQ(status_of(decoder, size_update(68) + inserted(62, "11") + inserted("b", "2")),
            BlockStatus::kDecoded);
  EXPECT_THAT(table_of(decoder), ElementsAre("b: 2", "[-1] ?: 11"));
  ASSERT_EQ(status_of(decoder, inserted("c", "3")), BlockStatus::kDecoded);
  EXPECT_THAT(table_of(decoder), ElementsAre("c: 3", "b: 2"));
}

TEST(Joined, AddsWhatMayHaveBeenTooLargeForTheTable) {
  Decoder decoder(Start::kJoined);
  // If the table has 50 bytes this empties it; if it has 4,096 it is the newest entry.
  const std::string long_value(100, 'x');
  ASSERT_EQ(status_of(decoder, inserted("long", long_value)), BlockStatus::kDecoded);
  EXPECT_THAT(lines_of(decoder, indexed(62)), ElementsAre("long: " + long_value));
  // Either way the next one is right.
  EXPECT_THAT(lines_of(decoder, inserted("a", "1") + indexed(62)), ElementsAre("a: 1", "a: 1"));
}

TEST(Joined, LearnsTheSizeFromAnUpdateOfAnySize) {
  Decoder decoder(Start::kJoined);
  EXPECT_EQ(status_of(decoder, size_update(1 << 20)), BlockStatus::kDecoded);
  decoder.set_limit(4096);
  EXPECT_EQ(status_of(decoder, size_update(4097)), BlockStatus::kSizeUpdate);
}

TEST(Joined, IsWhatALossMakesOfADecoder) {
  Decoder decoder;
  ASSERT_EQ(status_of(decoder, inserted("a", "1")), BlockStatus::kDecoded);
  decoder.lose();
  const auto first = lines_of(decoder, indexed(62) + indexed(63));
  ASSERT_EQ(first.size(), 2u);
  EXPECT_THAT(first[0], ::testing::EndsWith("] ?: ?"));
  EXPECT_NE(first[0], first[1]);
  EXPECT_THAT(lines_of(decoder, inserted("b", "2") + indexed(62) + indexed(63)),
              ElementsAre("b: 2", "b: 2", first[0]));
  // Lost again: what is unknown now may be other entries, so their numbers are others.
  decoder.lose();
  const auto second = lines_of(decoder, indexed(62) + indexed(63));
  EXPECT_THAT(second,
              ::testing::Each(::testing::AllOf(::testing::Ne(first[0]), ::testing::Ne(first[1]))));
}

TEST(Joined, ForgetsAllWithTheNextConnection) {
  Decoder decoder(Start::kJoined);
  decoder.lose();
  decoder.restart(Start::kJoined);
  EXPECT_THAT(lines_of(decoder, indexed(62)), ElementsAre("[-1] ?: ?"));
  decoder.restart(Start::kFromStart);
  EXPECT_EQ(status_of(decoder, indexed(62)), BlockStatus::kIndex);
}

}  // namespace
}  // namespace exa::hpack
