#include "exa/base/time.h"

#include <gtest/gtest.h>

namespace exa {
namespace {

using namespace std::chrono_literals;

TEST(Time, ElapsedIsNeverNegative) {
  EXPECT_EQ(elapsed({5}, {12}), 7ns);
  EXPECT_EQ(elapsed({12}, {5}), 0ns);
  EXPECT_EQ(elapsed({1}, {UINT64_MAX}), Duration::max()) << "a broken record, not -2 ns";
}

TEST(Time, OffsetsOfEitherSignLeadToWallTime) {
  EXPECT_EQ(WallClockOffset{1'000}.to_wall({5}).ns, 1'005u);
  EXPECT_EQ(WallClockOffset{-3}.to_wall({5}).ns, 2u);
  // Any time with any offset of a broken recording has a result, if not a sensible one.
  EXPECT_EQ(WallClockOffset{INT64_MAX}.to_wall({INT64_MAX}).ns, UINT64_MAX - 1);
}

}  // namespace
}  // namespace exa
