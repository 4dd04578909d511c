#include "agent/exemplars/reactive_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/exemplars/span_budget.h"

namespace exa {
namespace {

constexpr BudgetPressure kNone{};
constexpr BudgetPressure kBackend{.backend = true};
constexpr BudgetPressure kAgent{.agent = true};

TEST(ReactiveBudget, IsTheUsualOneWhereNothingHappens) {
  ReactiveBudget budget({.usual = 100, .least = 10, .most = 400});
  for (int window = 0; window < 5; ++window)
    EXPECT_EQ(budget.next(kNone, 0), 100u);
  EXPECT_FALSE(budget.raised());
  EXPECT_FALSE(budget.lowered());
}

TEST(ReactiveBudget, HalvesUnderPressureDownToTheLeastAndComesBackSlowly) {
  for (const auto pressure : {kBackend, kAgent}) {
    ReactiveBudget budget({.usual = 100, .least = 10, .most = 100});
    EXPECT_EQ(budget.next(pressure, 0), 50u);
    EXPECT_TRUE(budget.lowered());
    EXPECT_EQ(budget.next(pressure, 0), 25u);
    for (int window = 0; window < 50; ++window)
      budget.next(pressure, 0);
    EXPECT_EQ(budget.spans(), 10u);
    EXPECT_EQ(budget.next(kNone, 0), 10u) << "a tenth of it";
    EXPECT_EQ(budget.next(kNone, 0), 20u);
    for (int window = 0; window < 8; ++window)
      budget.next(kNone, 0);
    EXPECT_EQ(budget.spans(), 100u) << "within ten windows";
    EXPECT_FALSE(budget.lowered());
  }
}

TEST(ReactiveBudget, GrowsWithTheRateAtWhichAnErrorBudgetBurnsAndOnlySoFar) {
  ReactiveBudget budget({.usual = 100, .least = 10, .most = 300});
  EXPECT_EQ(budget.next(kNone, 1), 100u) << "the objective is just kept";
  EXPECT_EQ(budget.next(kNone, 7.7), 200u) << "half way to the rate that wakes somebody";
  EXPECT_TRUE(budget.raised());
  EXPECT_EQ(budget.next(kNone, 14.4), 300u);
  EXPECT_EQ(budget.next(kNone, 1e9), 300u);
}

TEST(ReactiveBudget, FallsBackOverSomeWindowsWhenTheErrorsAreOver) {
  ReactiveBudget budget({.usual = 100, .least = 10, .most = 300});
  budget.next(kNone, 14.4);
  auto before = budget.spans();
  int windows = 0;
  while (budget.raised() && windows < 100) {
    EXPECT_LT(budget.next(kNone, 0), before);
    before = budget.spans();
    ++windows;
  }
  EXPECT_GE(windows, 5);
  EXPECT_LE(windows, 10);
}

TEST(ReactiveBudget, PressureCountsMoreThanErrors) {
  ReactiveBudget budget({.usual = 100, .least = 10, .most = 300});
  for (int window = 0; window < 10; ++window)
    budget.next(kBackend, 100);
  EXPECT_EQ(budget.spans(), 10u);
}

TEST(ReactiveBudget, LimitsThatContradictTheUsualOneGiveWay) {
  ReactiveBudget budget({.usual = 5, .least = 10, .most = 0});
  EXPECT_EQ(budget.next(kNone, 100), 5u) << "it may not grow";
  EXPECT_EQ(budget.next(kBackend, 0), 5u) << "nor shrink";
}

TEST(ReactiveBudget, NoneStaysNone) {
  ReactiveBudget budget({.usual = 0, .least = 10, .most = 0});
  EXPECT_EQ(budget.next(kNone, 100), 0u);
  EXPECT_EQ(budget.next(kBackend, 0), 0u);
  EXPECT_EQ(budget.next(kNone, 0), 0u);
}

TEST(ReactiveBudget, PressureSurvivesARecording) {
  for (const auto pressure : {kNone, kBackend, kAgent, BudgetPressure{true, true}})
    EXPECT_EQ(BudgetPressure::from_bits(pressure.bits()), pressure);
}

TEST(SpanBudget, WhatWasSavedIsNoWayAroundASmallerBudget) {
  SpanBudget budget(100, 200);
  budget.refill();
  budget.refill();
  EXPECT_EQ(budget.left(), 200u);
  budget.refill(10);
  EXPECT_EQ(budget.left(), 20u) << "twice the budget of now";
  budget.refill(300);
  EXPECT_EQ(budget.left(), 320u);
}

}  // namespace
}  // namespace exa
