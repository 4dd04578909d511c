// What a decoder that came late is told of its owner's table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "agent/protocol/http2/hpack/learn.h"
#include "tests/unit/hpack/wire.h"

namespace exa::hpack {
namespace {

using ::testing::ElementsAre;

// Of a decoder that saw everything: what its owner would tell.
class Owner {
 public:
  explicit Owner(const Decoder& decoder) {
    for (std::uint64_t back = 1; back <= decoder.table().entries(); ++back) {
      DynamicTable::Found found;
      EXPECT_TRUE(decoder.table().find(back, found));
      texts_.push_back({std::string(found.name.text), std::string(found.value.text)});
    }
    for (const auto& [name, value] : texts_)
      entries_.push_back({name, value});
  }
  [[nodiscard]] const std::vector<SeenEntry>& entries() const { return entries_; }

 private:
  std::vector<std::pair<std::string, std::string>> texts_;
  std::vector<SeenEntry> entries_;
};

class Learn : public ::testing::Test {
 protected:
  void both(std::string_view block) {
    ASSERT_EQ(status_of(whole, block), BlockStatus::kDecoded);
    ASSERT_EQ(status_of(late, block), BlockStatus::kDecoded);
  }
  void before(std::string_view block) { ASSERT_EQ(status_of(whole, block), BlockStatus::kDecoded); }
  [[nodiscard]] bool learn_now() {
    const auto newest = late.table().newest();
    return learn(late, Owner(whole).entries(), newest, newest);
  }

  Decoder whole;
  Decoder late{Start::kJoined};
};

TEST_F(Learn, WhatWasSaidBeforeIsKnown) {
  before(inserted("a", "1") + inserted("b", "2"));
  EXPECT_THAT(lines_of(late, indexed(62) + indexed(63)), ElementsAre("[-1] ?: ?", "[-2] ?: ?"));
  ASSERT_TRUE(learn_now());
  EXPECT_THAT(lines_of(late, indexed(62) + indexed(63)), ElementsAre("b: 2", "a: 1"));
  both(inserted("c", "3"));
  EXPECT_THAT(lines_of(late, indexed(62) + indexed(63) + indexed(64)),
              ElementsAre("c: 3", "b: 2", "a: 1"));
}

TEST_F(Learn, BesideWhatWasSeenSince) {
  before(inserted("a", "1") + inserted("b", "2"));
  both(inserted(63, "three"));
  ASSERT_TRUE(learn_now());
  EXPECT_THAT(lines_of(late, indexed(62) + indexed(63) + indexed(64)),
              ElementsAre("a: three", "b: 2", "a: 1"));
}

TEST_F(Learn, AsItWasBeforeTheNewestBlock) {
  before(inserted("a", "1"));
  both(inserted("b", "2"));
  const auto first = late.table().newest();
  const Owner then(whole);
  both(inserted("c", "3") + inserted("d", "4"));
  ASSERT_TRUE(learn(late, then.entries(), first, late.table().newest()));
  EXPECT_THAT(lines_of(late, indexed(62) + indexed(63) + indexed(64) + indexed(65)),
              ElementsAre("d: 4", "c: 3", "b: 2", "a: 1"));
}

TEST_F(Learn, WhatContradictsIsAnotherTable) {
  before(inserted("a", "1"));
  both(inserted("b", "2"));
  Decoder other;
  ASSERT_EQ(status_of(other, inserted("a", "1") + inserted("b", "other")), BlockStatus::kDecoded);
  const auto newest = late.table().newest();
  EXPECT_FALSE(learn(late, Owner(other).entries(), newest, newest));
  EXPECT_THAT(lines_of(late, indexed(62) + indexed(63)), ElementsAre("b: 2", "[-1] ?: ?"));
}

// The table repeats itself, and nobody knows how much of it was there.
TEST_F(Learn, WhatFitsInSeveralPlacesIsNotTaken) {
  before(inserted("a", "1"));
  both({});
  const auto first = late.table().newest();
  both(inserted("b", "2") + inserted("b", "2"));
  Decoder then;
  ASSERT_EQ(status_of(then, inserted("a", "1") + inserted("b", "2") + inserted("b", "2")),
            BlockStatus::kDecoded);
  EXPECT_FALSE(learn(late, Owner(then).entries(), first, late.table().newest()));
}

TEST_F(Learn, ATableThatIsToldInPartLeavesTheRestUnknown) {
  before(inserted("a", "1") + inserted("b", "2"));
  const Owner owner(whole);
  const auto newest = late.table().newest();
  ASSERT_TRUE(learn(late, std::span(owner.entries()).first(1), newest, newest));
  EXPECT_EQ(lines_of(late, indexed(62)), Lines{"b: 2"});
  EXPECT_THAT(lines_of(late, indexed(63)), ElementsAre(::testing::HasSubstr("?: ?")));
}

TEST_F(Learn, TheSizeThatWasAgreedOnStays) {
  before(inserted("a", "1") + inserted("b", std::string(100, 'b')));
  both(size_update(200));
  ASSERT_TRUE(learn_now());
  EXPECT_EQ(late.table().size_bytes(), 200u);
  both(inserted("c", std::string(100, 'c')));
  EXPECT_EQ(status_of(late, indexed(64)), BlockStatus::kIndex) << "evicted";
}

TEST_F(Learn, NotAcrossALoss) {
  before(inserted("a", "1"));
  const auto first = late.table().newest();
  late.lose();
  EXPECT_FALSE(learn(late, Owner(whole).entries(), first, late.table().newest()));
}

TEST_F(Learn, AfterALoss) {
  before(inserted("a", "1"));
  late.lose();
  before(inserted("b", "2"));
  ASSERT_TRUE(learn_now());
  EXPECT_THAT(lines_of(late, indexed(62) + indexed(63)), ElementsAre("b: 2", "a: 1"));
}

}  // namespace
}  // namespace exa::hpack
