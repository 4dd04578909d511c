#include "agent/capture/poll_pace.h"

#include <gtest/gtest.h>

namespace exa {
namespace {

using namespace std::chrono_literals;

TEST(PollPace, RestsAsLongAsItMayWhileLittleComes) {
  PollPace pace;
  for (const std::size_t records : {0, 1, 10, 900})
    EXPECT_EQ(pace.next(records), PollPace::kLongest);
}

TEST(PollPace, SettlesWhereABatchIsWorkedOffInNoTime) {
  PollPace pace;
  Duration pause = PollPace::kLongest;
  for (int i = 0; i < 20; ++i)
    pause = pace.next(static_cast<std::size_t>(pause / 5us));  // 200 records a millisecond
  EXPECT_GE(pause, 4ms);
  EXPECT_LE(pause, 6ms);
}

TEST(PollPace, FollowsAFloodAtOnceAndItsEndStepByStep) {
  PollPace pace;
  EXPECT_EQ(pace.next(1'000'000), PollPace::kShortest);
  EXPECT_EQ(pace.next(0), 2 * PollPace::kShortest);
  EXPECT_EQ(pace.next(0), 4 * PollPace::kShortest);
  for (int i = 0; i < 10; ++i)
    pace.next(0);
  EXPECT_EQ(pace.next(0), PollPace::kLongest);
}

}  // namespace
}  // namespace exa
