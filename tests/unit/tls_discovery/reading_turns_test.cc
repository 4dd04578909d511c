#include "agent/discovery/tls/reading_turns.h"

#include <gtest/gtest.h>

#include <array>

namespace exa {
namespace {

using namespace std::chrono_literals;

constexpr MonotonicTime kNow{.ns = 1'000'000'000'000};
using Candidates = std::array<ReadingTurns::Candidate, 3>;

TEST(ReadingTurns, WhoCameFirstIsFirst) {
  ReadingTurns turns;
  const Candidates all{{{1, 0}, {2, 0}, {3, 0}}};
  EXPECT_EQ(turns.next(all, kNow), 0u);
}

TEST(ReadingTurns, AProcessThatTookTimeLetsTheOthersOfItsUserPass) {
  ReadingTurns turns;
  const Candidates all{{{1, 0}, {2, 0}, {3, 0}}};
  turns.charge(all[0], 500ms);
  EXPECT_EQ(turns.next(all, kNow), 1u);
  turns.charge(all[1], 1ms);
  EXPECT_EQ(turns.next(all, kNow), 2u);
  turns.charge(all[2], 2ms);
  EXPECT_EQ(turns.next(all, kNow), 1u);
}

TEST(ReadingTurns, AUserWithManyProcessesLetsTheOtherUsersPass) {
  ReadingTurns turns;
  turns.charge({10, 1000}, 500ms);  // one of many, gone by now
  const Candidates all{{{11, 1000}, {12, 1000}, {2, 0}}};
  EXPECT_EQ(turns.next(all, kNow), 2u);
}

TEST(ReadingTurns, WhatAUserTookFades) {
  ReadingTurns turns;
  const Candidates all{{{11, 1000}, {2, 0}, {3, 0}}};
  turns.charge({10, 1000}, 500ms);
  turns.charge({1, 0}, 100ms);
  EXPECT_EQ(turns.next(all, kNow), 1u);
  // Six halvings later user 0 has nothing left that counts; user 1000 a little.
  EXPECT_EQ(turns.next(all, kNow + 4 * ReadingTurns::kHalfLife), 1u);
  EXPECT_EQ(turns.next(all, kNow + 10 * ReadingTurns::kHalfLife), 0u);
}

TEST(ReadingTurns, ABudgetIsSpentForGood) {
  ReadingTurns turns;
  turns.charge({1, 0}, 4999ms);
  EXPECT_FALSE(turns.spent(1));
  turns.charge({1, 0}, 1ms);
  EXPECT_TRUE(turns.spent(1));
  EXPECT_FALSE(turns.spent(2));
  turns.forget(1);
  EXPECT_FALSE(turns.spent(1)) << "another process by that number";
}

}  // namespace
}  // namespace exa
