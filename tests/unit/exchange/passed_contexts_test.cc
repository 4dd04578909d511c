#include "agent/exchange/passed_contexts.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace exa {
namespace {

class Passed : public testing::Test {
 protected:
  static Exchange exchange(std::uint32_t tgid, std::uint32_t context) {
    Exchange made;
    made.tgid = tgid;
    made.has_context = true;
    std::memcpy(made.trace_id.bytes.data(), &context, sizeof context);
    made.parent_span_id.bytes[0] = 1;
    made.read = {20'000'000'000};
    return made;
  }
  Exchange served(std::uint32_t tgid, std::uint32_t context) {
    auto made = exchange(tgid, context);
    made.number = ++numbers_;
    made.read = {1'000'000'000};
    return made;
  }
  PassedContexts contexts_;

 private:
  std::uint64_t numbers_ = 0;
};

TEST_F(Passed, OnIsTheOneThatWasGiven) {
  const auto one = served(42, 7);
  const auto other = served(42, 8);
  EXPECT_TRUE(contexts_.open(one));
  EXPECT_TRUE(contexts_.open(other));
  EXPECT_EQ(contexts_.around(exchange(42, 7)), one.number);
  EXPECT_EQ(contexts_.around(exchange(42, 8)), other.number);
  EXPECT_EQ(contexts_.around(exchange(42, 9)), 0u);
  EXPECT_EQ(contexts_.around(exchange(43, 7)), 0u) << "another process";
  auto other_parent = exchange(42, 7);
  other_parent.parent_span_id.bytes[0] = 2;
  EXPECT_EQ(contexts_.around(other_parent), 0u) << "of another span of that trace";
}

TEST_F(Passed, WhatHasEndedIsNotAround) {
  const auto one = served(42, 7);
  const auto had_place = contexts_.open(one);
  contexts_.close(one, had_place);
  EXPECT_EQ(contexts_.around(exchange(42, 7)), 0u);
}

TEST_F(Passed, OfTwoNobodyKnowsWhich) {
  const auto one = served(42, 7);
  const auto two = served(42, 7);
  contexts_.open(one);
  contexts_.open(two);
  EXPECT_EQ(contexts_.around(exchange(42, 7)), 0u);
  contexts_.close(one, true);
  EXPECT_EQ(contexts_.around(exchange(42, 7)), two.number);
}

// A client may try again while the first try is still worked on, or what it left behind.
TEST_F(Passed, OnMayBeOfTheTryBefore) {
  auto first = served(42, 7);
  const auto second = served(42, 7);
  contexts_.open(first);
  first.last_response = {15'000'000'000};
  contexts_.close(first, true);
  contexts_.open(second);
  EXPECT_EQ(contexts_.around(exchange(42, 7)), 0u);
  auto later = exchange(42, 7);
  later.read = {26'000'000'000};
  EXPECT_EQ(contexts_.around(later), second.number);
}

TEST_F(Passed, NothingIsKnownWhileAContextIsNot) {
  const auto one = served(42, 7);
  contexts_.open(one);
  contexts_.open_unknown();
  EXPECT_EQ(contexts_.around(exchange(42, 7)), 0u);
  contexts_.close(served(42, 8), false);
  EXPECT_EQ(contexts_.around(exchange(42, 7)), one.number);
}

// One that is not remembered may be the one.
TEST_F(Passed, WhileThereAreTooManyNothingIsKnown) {
  std::vector<Exchange> all;
  for (std::uint32_t i = 0; i < PassedContexts::kPlaces; ++i) {
    all.push_back(served(42, i));
    ASSERT_TRUE(contexts_.open(all.back()));
  }
  const auto too_many = served(42, 1'000'000);
  EXPECT_FALSE(contexts_.open(too_many));
  EXPECT_EQ(contexts_.around(exchange(42, 7)), 0u);
  EXPECT_EQ(contexts_.around(exchange(42, 1'000'000)), 0u);

  // Another one like it finds a place meanwhile.
  contexts_.close(all[3], true);
  const auto alike = served(42, 1'000'000);
  EXPECT_TRUE(contexts_.open(alike));
  EXPECT_EQ(contexts_.around(exchange(42, 1'000'000)), 0u) << "there are two";
  contexts_.close(too_many, false);
  EXPECT_EQ(contexts_.around(exchange(42, 1'000'000)), alike.number);
  EXPECT_EQ(contexts_.around(exchange(42, 7)), all[7].number);
}

}  // namespace
}  // namespace exa
