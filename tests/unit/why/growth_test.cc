#include "agent/why/growth.h"

#include <gtest/gtest.h>

#include <array>

namespace exa {
namespace {

using std::chrono::milliseconds;

AccountSum of_requests(int count, Duration wall, Duration cpu_wait, Duration on_cpu) {
  Account account;
  account.thread_known = account.cpu_wait_known = true;
  account.cpu_wait = cpu_wait;
  account.on_cpu = on_cpu;
  AccountSum sum;
  for (int i = 0; i < count; ++i)
    sum.add(account, wall);
  return sum;
}

TEST(Growth, SaysWhatTheSlowestHadMoreOf) {
  const std::array by_bucket = {
      of_requests(1'000, milliseconds(10), milliseconds(1), milliseconds(9)), AccountSum{},
      of_requests(20, milliseconds(210), milliseconds(161), milliseconds(9)), AccountSum{}};
  EXPECT_EQ(growth_sentence(slowest_percent(by_bucket)),
            "20 of 1020 took 210 ms on average, the others 10.0 ms: 80 % of the difference was "
            "spent waiting for a CPU, 20 % asleep");
}

TEST(Growth, OneRequestHasNoAverage) {
  const std::array by_bucket = {of_requests(9, milliseconds(10), {}, milliseconds(10)),
                                of_requests(1, milliseconds(30), {}, milliseconds(30))};
  EXPECT_EQ(growth_sentence(slowest_percent(by_bucket)),
            "1 of 10 took 30.0 ms, the others 10.0 ms: 100 % of the difference was spent on a CPU");
}

// One percent of the requests or more, whole buckets, the highest first.
TEST(Growth, TakesAsFewBucketsAsHoldOnePercent) {
  const std::array by_bucket = {
      of_requests(980, milliseconds(1), {}, {}), of_requests(10, milliseconds(20), {}, {}),
      of_requests(9, milliseconds(50), {}, {}), of_requests(1, milliseconds(90), {}, {})};
  const auto split = slowest_percent(by_bucket);
  EXPECT_EQ(split.slowest.exchanges, 10u);
  EXPECT_EQ(split.others.exchanges, 990u);
}

// One of a thousand has a bucket of its own, and the others are all in another.
TEST(Growth, TakesFewerWhereTheNextBucketHoldsMost) {
  const std::array by_bucket = {of_requests(999, milliseconds(1), {}, {}),
                                of_requests(1, milliseconds(90), {}, {})};
  const auto split = slowest_percent(by_bucket);
  EXPECT_EQ(split.slowest.exchanges, 1u);
  EXPECT_EQ(split.others.exchanges, 999u);
}

TEST(Growth, SaysNothingWhereNothingIsSlower) {
  EXPECT_EQ(growth_sentence(slowest_percent({})), "");
  const std::array alike = {of_requests(100, milliseconds(10), {}, {})};
  EXPECT_EQ(growth_sentence(slowest_percent(alike)), "");
  const std::array hardly = {of_requests(99, milliseconds(10), {}, {}),
                             of_requests(1, milliseconds(14), {}, {})};
  EXPECT_EQ(growth_sentence(slowest_percent(hardly)), "");
}

TEST(Growth, OfUnknownTimeOnlyTheLengthIsTold) {
  AccountSum fast;
  AccountSum slow;
  for (int i = 0; i < 10; ++i)
    fast.add({}, milliseconds(10));
  slow.add({}, milliseconds(500));
  const std::array by_bucket = {fast, slow};
  EXPECT_EQ(growth_sentence(slowest_percent(by_bucket)), "1 of 11 took 500 ms, the others 10.0 ms");
}

// The slow wait in requests of their own instead of computing: more than all of the difference.
TEST(Growth, APartMayGrowByMoreThanAllTogether) {
  const auto fast = mean_of(of_requests(5, milliseconds(100), {}, milliseconds(90)));
  const auto slow = mean_of(of_requests(5, milliseconds(200), milliseconds(190), {}));
  EXPECT_TRUE(is_longer(slow, fast));
  EXPECT_EQ(growth_phrase(slow, fast), "100 % of the difference was spent waiting for a CPU");
}

}  // namespace
}  // namespace exa
