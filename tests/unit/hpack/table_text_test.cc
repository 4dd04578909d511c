// A table that another decoder goes on with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "agent/protocol/http2/hpack/table_text.h"
#include "tests/unit/hpack/wire.h"

namespace exa::hpack {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

bool all(std::string_view /*name*/, std::string_view /*value*/) {
  return true;
}
bool paths_only(std::string_view name, std::string_view /*value*/) {
  return name == ":path";
}

Decoder made_of(std::string_view text) {
  Decoder to(Start::kJoined);
  EXPECT_TRUE(restore(to, text));
  return to;
}
Decoder restored(const Decoder& from, KeepsValue keeps = all) {
  return made_of(text_of(from, keeps));
}

TEST(TableText, AnotherDecoderGoesOnAsIfItHadBeenThere) {
  Decoder decoder;
  decoder.set_limit(2'000);
  ASSERT_EQ(status_of(decoder, size_update(1'000) + inserted(":path", "/a") + inserted("b", "2")),
            BlockStatus::kDecoded);
  const auto text = text_of(decoder, all);
  auto next = made_of(text);
  for (auto* one : {&decoder, &next}) {
    EXPECT_THAT(lines_of(*one, indexed(62) + indexed(63)), ElementsAre("b: 2", ":path: /a"));
    EXPECT_EQ(status_of(*one, indexed(64)), BlockStatus::kIndex) << "there is no third";
  }
  next = made_of(text);
  EXPECT_EQ(status_of(next, size_update(2'001)), BlockStatus::kSizeUpdate) << "beyond the limit";
  next = made_of(text);
  EXPECT_THAT(lines_of(next, inserted("c", std::string(950, 'c')) + indexed(62)),
              ElementsAre("c: " + std::string(950, 'c'), "c: " + std::string(950, 'c')));
  EXPECT_EQ(status_of(next, indexed(63)), BlockStatus::kIndex) << "evicted by the size";
}

// So does the value behind an unknown name: it may be a secret.
TEST(TableText, OlderEntriesStayUnknown) {
  Decoder decoder(Start::kJoined);
  ASSERT_EQ(status_of(decoder, inserted(70, "one") + inserted("b", "2")), BlockStatus::kDecoded);
  auto next = restored(decoder);
  EXPECT_THAT(lines_of(next, indexed(62) + indexed(63) + indexed(64)),
              ElementsAre("b: 2", "[1] ?: ?", "[-1] ?: ?"));
}

TEST(TableText, OfSecretsOnlyTheLengthGoesIn) {
  Decoder decoder;
  ASSERT_EQ(
      status_of(decoder, inserted("authorization", "Bearer abcdef") + inserted(":path", "/public")),
      BlockStatus::kDecoded);
  const auto text = text_of(decoder, paths_only);
  EXPECT_THAT(text, HasSubstr("/public"));
  EXPECT_THAT(text, Not(HasSubstr("abcdef")));
  auto next = restored(decoder, paths_only);
  EXPECT_THAT(lines_of(next, indexed(62) + indexed(63)),
              ElementsAre(":path: /public", "[1] authorization: ?"));
  EXPECT_EQ(next.table().held_bytes(), decoder.table().held_bytes()) << "so it evicts alike";
}

TEST(TableText, ALargeTableGoesOnAsWellAsItsRoomAllows) {
  Decoder decoder;
  const auto room = std::make_unique<LargeTableRoom>();
  decoder.set_limit(16'384);
  decoder.use_large_table(*room);
  ASSERT_EQ(status_of(decoder, size_update(16'384)), BlockStatus::kDecoded);
  for (int number = 0; number < 8; ++number)
    ASSERT_EQ(status_of(decoder, inserted("n" + std::to_string(number), std::string(1'000, 'v'))),
              BlockStatus::kDecoded);
  auto next = restored(decoder);
  EXPECT_TRUE(next.wants_large_table());
  EXPECT_THAT(lines_of(next, indexed(62)), ElementsAre("n7: " + std::string(1'000, 'v')));
  EXPECT_THAT(lines_of(next, indexed(69)), ElementsAre(HasSubstr("?: ?"))) << "not held any more";
}

TEST(TableText, WhatIsNoneChangesNothing) {
  Decoder decoder;
  ASSERT_EQ(status_of(decoder, inserted("a", "1") + inserted("b", std::string(300, 'b'))),
            BlockStatus::kDecoded);
  const auto text = text_of(decoder, all);
  for (std::size_t bytes = 0; bytes < text.size(); ++bytes) {
    Decoder next;
    ASSERT_EQ(status_of(next, inserted("own", "1")), BlockStatus::kDecoded);
    EXPECT_FALSE(restore(next, text.substr(0, bytes)));
    EXPECT_THAT(lines_of(next, indexed(62)), ElementsAre("own: 1"));
  }
  Decoder next;
  EXPECT_FALSE(restore(next, text + "x"));
  // Whatever stands in it, what comes out is a table.
  for (std::size_t at = 0; at < text.size(); ++at) {
    auto damaged = text;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    Decoder any;
    (void)restore(any, damaged);
    (void)decode_all(any, indexed(62) + indexed(63) + inserted("c", "3"));
  }
}

}  // namespace
}  // namespace exa::hpack
