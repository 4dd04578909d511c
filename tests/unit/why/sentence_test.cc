#include "agent/why/sentence.h"

#include <gtest/gtest.h>

namespace exa {
namespace {

using std::chrono::milliseconds;

constexpr Duration kWall = milliseconds(400);

Account of_thread(Duration cpu_wait, Duration on_cpu) {
  Account account;
  account.thread_known = account.cpu_wait_known = true;
  account.cpu_wait = cpu_wait;
  account.on_cpu = on_cpu;
  return account;
}

TEST(WhySentence, NamesTheLargestPartFirst) {
  auto account = of_thread(milliseconds(320), milliseconds(70));
  account.throttled = milliseconds(300);
  account.throttled_times = 4;
  EXPECT_EQ(
      why_sentence(account, kWall),
      "75 % kept from the CPU by its cgroup's quota (4 times), 18 % on a CPU, 5 % waiting for "
      "a CPU");
}

TEST(WhySentence, LeavesOutWhatExplainsNothing) {
  auto account = of_thread(milliseconds(1), milliseconds(399));
  account.minor_faults = 12;
  EXPECT_EQ(why_sentence(account, kWall), "100 % on a CPU");
}

TEST(WhySentence, TellsRequestsOfItsOwnFromOtherSleep) {
  auto account = of_thread({}, milliseconds(20));
  account.downstream = milliseconds(300);
  EXPECT_EQ(why_sentence(account, kWall),
            "75 % waiting for requests that it made, 20 % asleep, 5 % on a CPU");
}

TEST(WhySentence, SaysWhatItSleptOn) {
  auto account = of_thread({}, milliseconds(20));
  account.asleep_us[static_cast<std::size_t>(SleepCause::kLock)] = 300'000;
  account.asleep_us[static_cast<std::size_t>(SleepCause::kDisk)] = 8'000;
  EXPECT_EQ(why_sentence(account, kWall),
            "75 % waiting for a lock or another thread, 18 % asleep, 5 % on a CPU");
}

TEST(WhySentence, CountsWhatCanBeCounted) {
  auto account = of_thread({}, kWall);
  account.minor_faults = 51'200;
  account.major_faults = 1;
  account.retransmits = 2;
  account.receiver_limited_ms = 248;
  account.shared_with = 3;
  EXPECT_EQ(why_sentence(account, kWall),
            "100 % on a CPU; 1 page read from disk; 51200 page faults; 2 segments retransmitted; "
            "248 ms waiting for the peer to make room; 3 other exchanges served by the thread "
            "meanwhile");
}

TEST(WhySentence, SaysWhatTheConnectionTookOnlyWhereThatIsMuch) {
  auto account = of_thread({}, kWall);
  account.before.connect_us = 1'030'000;
  EXPECT_EQ(why_sentence(account, kWall), "100 % on a CPU; before it, connecting took 1.03 s");
  account.before.connect_us = 19'000;
  EXPECT_EQ(why_sentence(account, kWall), "100 % on a CPU");
}

TEST(WhySentence, SaysWhyARequestWasReadLate) {
  auto account = of_thread({}, kWall);
  constexpr Duration kQueued = milliseconds(128);
  EXPECT_EQ(why_sentence(account, kWall, kQueued), "100 % on a CPU; it waited 128 ms to be read");
  account.before.queued_other_work_us = 89'000;
  EXPECT_EQ(why_sentence(account, kWall, kQueued),
            "100 % on a CPU; it waited 128 ms to be read: the thread was busy with other work for "
            "89.0 ms");
  account.before.queued_cpu_wait_us = 38'000;
  EXPECT_EQ(why_sentence(account, kWall, kQueued),
            "100 % on a CPU; it waited 128 ms to be read: the thread was busy with other work for "
            "89.0 ms and waited 38.0 ms for a CPU");
  EXPECT_EQ(why_sentence(account, kWall, milliseconds(9)), "100 % on a CPU");
}

TEST(WhySentence, SaysWhatIsNotKnown) {
  Account account;
  EXPECT_EQ(why_sentence(account, kWall), "");
  account.other_thread = true;
  account.socket_known = true;
  account.retransmits = 1;
  EXPECT_EQ(why_sentence(account, kWall),
            "it began on one thread and ended on another; 1 segment retransmitted");
}

TEST(WhySentence, SaysThatAThreadIsNotTheExchangesOwn) {
  Account account;
  account.moves = true;
  EXPECT_EQ(why_sentence(account, kWall), "its process moves work between threads");
}

TEST(WhySentence, AnExchangeOfNoTimeHasNoShares) {
  EXPECT_EQ(why_sentence(of_thread({}, {}), Duration::zero()), "");
}

}  // namespace
}  // namespace exa
