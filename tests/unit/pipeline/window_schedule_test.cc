#include "agent/run/pipeline/window_schedule.h"

#include <gmock/gmock.h>

namespace exa {
namespace {

using namespace std::chrono_literals;

// The wall clock stands at 3 s past a full minute.
constexpr MonotonicTime kNow{5'000'000'000};
constexpr WallClockOffset kOffset{1'699'999'998'000'000'000};
static_assert(kOffset.to_wall(kNow).ns % 60'000'000'000 == 23'000'000'000);

TEST(WindowSchedule, EndsWindowsAtWholeMultiplesOfTheWallClock) {
  WindowSchedule schedule(10s);
  schedule.plan(kNow, kOffset);
  EXPECT_FALSE(schedule.is_due(kNow + 6s));
  EXPECT_TRUE(schedule.is_due(kNow + 7s));
  schedule.plan(kNow + 7s, kOffset);
  EXPECT_FALSE(schedule.is_due(kNow + 16s)) << "a tick at a multiple plans the next one";
  EXPECT_TRUE(schedule.is_due(kNow + 17s));
}

TEST(WindowSchedule, FollowsAWallClockThatWasSet) {
  WindowSchedule schedule(10s);
  schedule.plan(kNow, {.ns = kOffset.ns + 4'000'000'000});
  EXPECT_FALSE(schedule.is_due(kNow + 2s));
  EXPECT_TRUE(schedule.is_due(kNow + 3s));
}

TEST(WindowSchedule, IsNeverDueBeforeItIsPlanned) {
  const WindowSchedule schedule(10s);
  EXPECT_FALSE(schedule.is_due(kNow + 1h));
  EXPECT_EQ(schedule.until_tick(kNow, 20ms), 20ms);
}

TEST(WindowSchedule, WaitsNoLongerThanUntilTheTick) {
  WindowSchedule schedule(10s);
  schedule.plan(kNow, kOffset);
  EXPECT_EQ(schedule.until_tick(kNow, 20ms), 20ms);
  EXPECT_EQ(schedule.until_tick(kNow + 6995ms, 20ms), 5ms);
  EXPECT_EQ(schedule.until_tick(kNow + 8s, 20ms), 0ms);
}

}  // namespace
}  // namespace exa
