#include "agent/why/account.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace exa {
namespace {

using std::chrono::milliseconds;

// A thread that had waited 1 s for CPUs and run 10 s, all of it up to date.
CallFacts facts(MonotonicTime time) {
  return {.time = time,
          .cpu_wait = milliseconds(1'000),
          .on_cpu = milliseconds(10'000),
          .throttled = milliseconds(500),
          .exec_start_ns = time.ns + 77,
          .cpu = 3,
          .thread = 42,
          .throttled_times = 9,
          .voluntary_switches = 5,
          .minor_faults = 100,
          .major_faults = 2,
          .retransmits = 1,
          .out_of_order = 0,
          .receiver_limited_ms = 8,
          .cpu_wait_known = true,
          .throttle_known = true,
          .socket_known = true};
}

constexpr MonotonicTime kRead{1'000'000'000};
constexpr Duration kWall = milliseconds(400);

// The same thread later, having waited and run so long and slept the rest.
CallFacts later(Duration cpu_wait, Duration on_cpu) {
  auto end = facts(kRead + kWall);
  end.cpu_wait += cpu_wait;
  end.on_cpu += on_cpu;
  if (cpu_wait + on_cpu < kWall) ++end.voluntary_switches;
  return end;
}

Account account(const CallFacts& begun, const CallFacts& ended) {
  return account_between({.call = begun, .work = {}}, {.call = ended, .work = {}}, kWall);
}

TEST(Account, DividesTheTimeOfTheThread) {
  auto end = later(milliseconds(300), milliseconds(60));
  end.throttled += milliseconds(250);
  end.throttled_times += 4;
  end.minor_faults += 51'200;
  end.major_faults += 3;
  const auto found = account(facts(kRead), end);
  EXPECT_TRUE(found.thread_known);
  EXPECT_EQ(found.cpu_wait, milliseconds(300));
  EXPECT_EQ(found.throttled, milliseconds(250));
  EXPECT_EQ(found.throttled_times, 4u);
  EXPECT_EQ(found.on_cpu, milliseconds(60));
  EXPECT_EQ(found.asleep(kWall), milliseconds(40));
  EXPECT_EQ(found.minor_faults, 51'200u);
  EXPECT_EQ(found.major_faults, 3u);
}

TEST(Account, WhatTheKernelHasNotBroughtUpToDateCounts) {
  // 3 ms before the request it was, and when the answer left 1 ms before.
  auto begin = facts(kRead);
  begin.exec_start_ns -= 3'000'000;
  auto end = later({}, milliseconds(60));
  end.exec_start_ns -= 1'000'000;
  EXPECT_EQ(account(begin, end).on_cpu, milliseconds(58));
  begin.exec_start_ns -= 9'000'000;
  EXPECT_EQ(account(begin, end).on_cpu, milliseconds(60)) << "no thread runs so long untold";
  end.cpu = 1;
  EXPECT_EQ(account(begin, end).on_cpu, milliseconds(60))
      << "the clocks of CPUs are not comparable";
}

TEST(Account, AThreadThatNeverSleptWasOnACpu) {
  auto end = later(milliseconds(100), {});
  end.voluntary_switches = facts(kRead).voluntary_switches;
  EXPECT_EQ(account(facts(kRead), end).on_cpu, milliseconds(300));
}

TEST(Account, ThrottlingOfOtherCpusIsNoneOfTheThread) {
  auto end = later(milliseconds(20), milliseconds(60));
  end.throttled += milliseconds(900);
  EXPECT_EQ(account(facts(kRead), end).throttled, milliseconds(20));
}

TEST(Account, ThrottlingIsNotKnownOfAProcessThatWasMoved) {
  auto end = later(milliseconds(300), milliseconds(60));
  end.throttled += milliseconds(250);
  end.group = 7;
  EXPECT_FALSE(account(facts(kRead), end).throttle_known);
  EXPECT_EQ(account(facts(kRead), end).throttled, Duration::zero());
}

TEST(Account, PartsAreNoLongerThanTheWhole) {
  const auto found = account(facts(kRead), later(milliseconds(900), milliseconds(900)));
  EXPECT_EQ(found.cpu_wait, kWall);
  EXPECT_EQ(found.on_cpu, Duration::zero());
  EXPECT_EQ(found.asleep(kWall), Duration::zero());
}

TEST(Account, TotalsThatRunBackwardsAreNothing) {
  const auto found = account(later(milliseconds(100), milliseconds(100)), facts(kRead + kWall));
  EXPECT_EQ(found.cpu_wait, Duration::zero());
  EXPECT_EQ(found.throttled, Duration::zero());
}

TEST(Account, OfAnotherThreadOnlyTheSocketIsKnown) {
  auto end = later(milliseconds(300), milliseconds(60));
  end.thread = 43;
  end.retransmits += 2;
  end.receiver_limited_ms += 30;
  const auto found = account(facts(kRead), end);
  EXPECT_FALSE(found.thread_known);
  EXPECT_TRUE(found.other_thread);
  EXPECT_EQ(found.cpu_wait, Duration::zero());
  EXPECT_EQ(found.minor_faults, 0u);
  EXPECT_TRUE(found.socket_known);
  EXPECT_EQ(found.retransmits, 2u);
  EXPECT_EQ(found.receiver_limited_ms, 30u);
}

TEST(Account, NothingIsKnownOfACallThatWasNotTold) {
  const auto found = account({}, later(milliseconds(300), milliseconds(60)));
  EXPECT_FALSE(found.thread_known);
  EXPECT_FALSE(found.other_thread);
  EXPECT_FALSE(found.socket_known);
}

TEST(Account, WhatTheKernelLacksStaysUnknown) {
  auto begin = facts(kRead);
  begin.cpu_wait_known = begin.throttle_known = begin.socket_known = false;
  const auto found = account(begin, later(milliseconds(300), milliseconds(60)));
  EXPECT_TRUE(found.thread_known);
  EXPECT_FALSE(found.cpu_wait_known);
  EXPECT_FALSE(found.throttle_known);
  EXPECT_FALSE(found.socket_known);
  EXPECT_EQ(found.on_cpu, milliseconds(60));
}

class Work : public testing::Test {
 protected:
  AccountEnd begin(std::uint32_t tid = 42) {
    auto call = facts(kRead);
    call.thread = tid;
    return {.call = call, .work = threads.begin(tid, kRead)};
  }
  AccountEnd end() {
    return {.call = later({}, milliseconds(10)), .work = threads.end(42, kRead + kWall)};
  }
  ThreadWork threads{64};
};

TEST_F(Work, AThreadAloneSharesNothing) {
  const auto begun = begin();
  EXPECT_EQ(account_between(begun, end(), kWall).shared_with, 0u);
  const auto again = begin();
  EXPECT_EQ(account_between(again, end(), kWall).shared_with, 0u);
}

TEST_F(Work, OfAnEventLoopTheOthersAreCounted) {
  static_cast<void>(begin());  // is answered meanwhile
  const auto begun = begin();
  threads.end(42, kRead);
  static_cast<void>(begin());
  static_cast<void>(begin());
  threads.end(42, kRead + milliseconds(1));
  EXPECT_EQ(account_between(begun, end(), kWall).shared_with, 2u);
}

TEST_F(Work, RequestsOfItsOwnArePartOfItsSleep) {
  const auto begun = begin();
  threads.was_downstream(42, kRead + milliseconds(10), kRead + milliseconds(110));
  threads.was_downstream(42, kRead + milliseconds(60), kRead + milliseconds(160));  // two at a time
  const auto found = account_between(begun, end(), kWall);
  EXPECT_EQ(found.downstream, milliseconds(150));
  EXPECT_EQ(found.asleep(kWall), milliseconds(390));
}

TEST_F(Work, OneThatIsToldLateBelongsToNoLaterExchange) {
  const auto begun = begin();
  threads.was_downstream(42, {kRead.ns - 5'000'000}, kRead + milliseconds(100));
  EXPECT_EQ(account_between(begun, end(), kWall).downstream, Duration::zero());
}

TEST_F(Work, OfAnEndThatIsToldLateItIsNotKnownWhatTheThreadDidBefore) {
  const auto begun = begin();
  threads.begin(42, kRead + kWall + milliseconds(1));
  EXPECT_EQ(account_between(begun, end(), kWall).shared_with, 0u);
  const auto again = begin();
  threads.was_downstream(42, kRead + milliseconds(300), kRead + kWall + milliseconds(100));
  const auto found = account_between(again, end(), kWall);
  EXPECT_EQ(found.downstream, Duration::zero());
  EXPECT_EQ(found.on_cpu, milliseconds(10)) << "the kernel's facts are of the very calls";
}

TEST_F(Work, AnEndThatIsToldLateIsNoWorkOfTheExchangeAfterIt) {
  static_cast<void>(begin());
  const auto begun = begin();
  threads.end(42, {kRead.ns - 1'000});  // answered by sendfile, which is told with what follows
  EXPECT_EQ(account_between(begun, end(), kWall).shared_with, 0u);
}

TEST_F(Work, AThreadThatLostItsPlaceIsNotKnownAnyMore) {
  const auto begun = begin();
  threads.was_downstream(42, kRead, kRead + milliseconds(100));
  static_cast<void>(begin(42 + 64));
  const auto found = account_between(begun, end(), kWall);
  EXPECT_EQ(found.downstream, Duration::zero());
  EXPECT_EQ(found.shared_with, 0u);
  EXPECT_EQ(found.on_cpu, milliseconds(10)) << "the kernel's facts are its own";
}

// The thread was looked at every 20 ms.
Account looked_at(Duration wall, const std::vector<ThreadDoing>& looks, Duration downstream = {}) {
  ThreadWork threads{64};
  const auto begun = threads.begin(42, kRead);
  auto time = kRead;
  for (const auto doing : looks)
    threads.was_seen(42, doing, time = time + milliseconds(20));
  if (downstream > Duration::zero()) threads.was_downstream(42, kRead, kRead + downstream);
  auto end = later({}, {});
  end.time = kRead + wall;
  return account_between({.call = facts(kRead), .work = begun},
                         {.call = end, .work = threads.end(42, end.time)}, wall);
}

std::uint32_t us_of(const Account& account, SleepCause cause) {
  return account.asleep_us[static_cast<std::size_t>(cause)];
}

TEST(Account, SaysWhatItSleptOn) {
  using enum ThreadDoing;
  const auto found = looked_at(milliseconds(100), {kLock, kLock, kDisk, kLock});
  EXPECT_EQ(us_of(found, SleepCause::kLock), 60'000u);
  EXPECT_EQ(us_of(found, SleepCause::kDisk), 20'000u);
  EXPECT_EQ(us_of(found, SleepCause::kTimer), 0u);
}

TEST(Account, WhatItRanIsNoSleep) {
  using enum ThreadDoing;
  const auto found = looked_at(milliseconds(100), {kRun, kRun, kOther, kTimer});
  EXPECT_EQ(us_of(found, SleepCause::kTimer), 20'000u);
}

TEST(Account, TheCausesAreNoMoreThanTheSleep) {
  using enum ThreadDoing;
  const auto found = looked_at(milliseconds(50), {kLock, kLock, kLock, kPipe});
  EXPECT_EQ(us_of(found, SleepCause::kLock), 37'500u);
  EXPECT_EQ(us_of(found, SleepCause::kPipe), 12'500u);
}

TEST(Account, RequestsOfItsOwnAreNotToldAsNetwork) {
  using enum ThreadDoing;
  const auto found =
      looked_at(milliseconds(100), {kNetwork, kNetwork, kEvents, kLock}, milliseconds(50));
  EXPECT_EQ(found.downstream, milliseconds(50));
  EXPECT_EQ(us_of(found, SleepCause::kNetwork), 0u);
  EXPECT_EQ(us_of(found, SleepCause::kEvents), 10'000u);
  EXPECT_EQ(us_of(found, SleepCause::kLock), 20'000u);
}

// Its sleeps are followed: each is told before the call at which it was over.
class FollowedSleeps : public testing::Test {
 protected:
  static constexpr auto kLock = static_cast<std::size_t>(SleepCause::kLock);
  static MonotonicTime at(int ms) { return kRead + milliseconds(ms); }
  void slept(int from_ms, int until_ms, std::uint32_t lock_ms) {
    SleepTimes asleep_us{};
    asleep_us[kLock] = lock_ms * 1'000;
    threads.slept(42, at(from_ms), at(until_ms), asleep_us);
  }
  std::optional<std::uint32_t> asleep_between(const ThreadWork::Totals& begun,
                                              const ThreadWork::Totals& ended) {
    if (begun.place == 0 || begun.place != ended.place) return std::nullopt;
    return ended.asleep_us[kLock] - begun.asleep_us[kLock];
  }
  ThreadWork threads{64};
};

TEST_F(FollowedSleeps, AreThoseBetweenTheTwoCalls) {
  threads.begin(42, at(-100), true);
  slept(-100, 0, 90);  // until the request came
  const auto begun = threads.begin(42, at(0), true);
  slept(0, 50, 40);
  slept(50, 100, 30);
  EXPECT_EQ(asleep_between(begun, threads.end(42, at(100))), 70'000u);
}

TEST_F(FollowedSleeps, LooksAddNothing) {
  const auto begun = threads.begin(42, at(0), true);
  threads.was_seen(42, ThreadDoing::kLock, at(20));
  slept(0, 50, 40);
  threads.was_seen(42, ThreadDoing::kLock, at(70));
  EXPECT_EQ(asleep_between(begun, threads.end(42, at(100))), 40'000u);
}

TEST_F(FollowedSleeps, ThatWereLostBeforeARequestAreNotItsOwn) {
  const auto begun = threads.begin(42, at(0), true);
  slept(-100, 50, 120);  // what was to be told at the request's read is in it
  EXPECT_EQ(asleep_between(begun, threads.end(42, at(100))), std::nullopt);
  const auto again = threads.begin(42, at(110), true);
  slept(110, 150, 30);
  EXPECT_EQ(asleep_between(again, threads.end(42, at(150))), 30'000u);
}

TEST_F(FollowedSleeps, AfterAnEndThatIsToldLateAreNotTheExchanges) {
  const auto begun = threads.begin(42, at(0), true);
  slept(0, 50, 40);
  slept(100, 300, 200);  // until the next request, at which the end is told
  EXPECT_EQ(asleep_between(begun, threads.end(42, at(100))), 40'000u);
}

// Of an event loop, which meanwhile reads what another one sends.
TEST_F(FollowedSleeps, TwoAfterAnEndThatIsToldLate) {
  const auto begun = threads.begin(42, at(0), true);
  slept(0, 50, 40);
  slept(100, 300, 190);
  slept(300, 500, 180);
  EXPECT_EQ(asleep_between(begun, threads.end(42, at(100))), std::nullopt);
}

// A request begins with its head's first part, and is told when the head is whole.
TEST_F(FollowedSleeps, BetweenTwoPartsOfAHeadAreTheExchanges) {
  threads.begin(42, at(-100), true);
  slept(-100, 0, 90);
  slept(0, 40, 35);
  const auto begun = threads.begin(42, at(0), true);
  slept(40, 80, 30);
  EXPECT_EQ(asleep_between(begun, threads.end(42, at(80))), 65'000u);
}

TEST_F(FollowedSleeps, AreUnknownWhereTheEndLiesWithinThem) {
  const auto begun = threads.begin(42, at(0), true);
  slept(0, 50, 40);
  slept(50, 300, 200);
  EXPECT_EQ(asleep_between(begun, threads.end(42, at(100))), std::nullopt);
}

TEST_F(FollowedSleeps, OfAThreadThatNobodyKnowsAreNotNoted) {
  threads.begin(42 + 64, at(0), true);
  slept(-100, 0, 90);
  const auto begun = threads.begin(42, at(0), true);
  EXPECT_EQ(begun.asleep_us[kLock], 0u);
}

TEST(ThreadWork, OfAThreadThatNobodyKnowsNothingIsNoted) {
  ThreadWork threads{64};
  const auto begun = threads.begin(42, kRead);
  threads.was_seen(42 + 64, ThreadDoing::kLock, kRead + milliseconds(20));
  const auto ended = threads.end(42, kRead + kWall);
  EXPECT_EQ(begun.asleep_us, ended.asleep_us);
}

}  // namespace
}  // namespace exa
