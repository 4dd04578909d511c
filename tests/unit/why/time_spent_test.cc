#include "agent/why/time_spent.h"

#include <gtest/gtest.h>

#include <set>

#include "agent/why/account_sum.h"

namespace exa {
namespace {

using std::chrono::milliseconds;

constexpr Duration kWall = milliseconds(400);

Account of_thread() {
  Account account;
  account.thread_known = account.cpu_wait_known = true;
  return account;
}

std::uint64_t ns(Duration time) {
  return static_cast<std::uint64_t>(time.count());
}

TEST(TimeSpent, SplitsTheWholeTime) {
  auto account = of_thread();
  account.cpu_wait = milliseconds(100);
  account.throttled = milliseconds(60);
  account.on_cpu = milliseconds(50);
  account.downstream = milliseconds(200);
  const auto spent = time_spent(account, kWall);
  EXPECT_EQ(spent[TimeState::kThrottled], ns(milliseconds(60)));
  EXPECT_EQ(spent[TimeState::kCpuWait], ns(milliseconds(40)));
  EXPECT_EQ(spent[TimeState::kOnCpu], ns(milliseconds(50)));
  EXPECT_EQ(spent[TimeState::kDownstream], ns(milliseconds(200)));
  EXPECT_EQ(spent[TimeState::kAsleep], ns(milliseconds(50)));
  EXPECT_EQ(spent[TimeState::kUnknown], 0u);
  EXPECT_EQ(spent.total_ns(), ns(kWall));
}

TEST(TimeSpent, IsUnknownWhereTheThreadIs) {
  const auto spent = time_spent(Account{}, kWall);
  EXPECT_EQ(spent[TimeState::kUnknown], ns(kWall));
  EXPECT_EQ(spent.total_ns(), ns(kWall));
}

// The rest may be a wait for a CPU as well.
TEST(TimeSpent, CallsNobodyAsleepWithoutTheWaitForCpus) {
  auto account = of_thread();
  account.cpu_wait_known = false;
  account.on_cpu = milliseconds(100);
  const auto spent = time_spent(account, kWall);
  EXPECT_EQ(spent[TimeState::kOnCpu], ns(milliseconds(100)));
  EXPECT_EQ(spent[TimeState::kAsleep], 0u);
  EXPECT_EQ(spent[TimeState::kUnknown], ns(milliseconds(300)));
}

TEST(TimeSpent, AddsUpWhateverTheAccountSays) {
  auto account = of_thread();
  account.cpu_wait = milliseconds(300);
  account.throttled = milliseconds(500);
  account.on_cpu = Duration::max();
  account.downstream = Duration::min();
  for (const auto wall : {kWall, Duration(1), Duration::zero(), Duration(-5), Duration::max()})
    EXPECT_EQ(time_spent(account, wall).total_ns(), ns(std::max(wall, Duration::zero())));
}

TEST(TimeSpent, NamesAreDistinct) {
  std::set<std::string_view> names;
  std::set<std::string_view> phrases;
  for (std::size_t i = 0; i < kTimeStates; ++i) {
    names.insert(name_of(static_cast<TimeState>(i)));
    phrases.insert(phrase_of(static_cast<TimeState>(i)));
  }
  EXPECT_EQ(names.size(), kTimeStates);
  EXPECT_EQ(phrases.size(), kTimeStates);
}

TEST(AccountSum, CountsWhatIsKnown) {
  auto first = of_thread();
  first.on_cpu = milliseconds(10);
  Account second;
  second.socket_known = true;
  second.retransmits = 3;
  AccountSum one;
  one.add(first, milliseconds(30));
  AccountSum both = one;
  both.add(second, milliseconds(20));
  AccountSum merged;
  merged.add(second, milliseconds(20));
  merged.merge(one);
  EXPECT_EQ(merged, both);
  EXPECT_EQ(both.exchanges, 2u);
  EXPECT_EQ(both.of_thread, 1u);
  EXPECT_EQ(both.of_socket, 1u);
  EXPECT_EQ(both.retransmits, 3u);
  EXPECT_EQ(both.spent.total_ns(), ns(milliseconds(50)));
}

}  // namespace
}  // namespace exa
