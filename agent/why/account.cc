#include "agent/why/account.h"

#include <algorithm>
#include <numeric>

#include "agent/why/thread_times.h"

namespace exa {
namespace {

// The kernel's counters wrap.
std::uint32_t difference(std::uint32_t earlier, std::uint32_t later) {
  return later - earlier;
}

Duration between(Duration earlier, Duration later) {
  return std::max(later - earlier, Duration::zero());
}

// What it waited for in requests of its own is told as that; and what was seen between two looks is
// not all of what was there.
void split_sleep(Account& account, const ThreadWork::Totals& from, const ThreadWork::Totals& to,
                 Duration wall) {
  auto& parts = account.asleep_us;
  for (std::size_t i = 0; i < kSleepCauses; ++i)
    parts[i] = difference(from.asleep_us[i], to.asleep_us[i]);
  const auto in_us = [](Duration time) {
    return static_cast<std::uint64_t>(std::chrono::floor<std::chrono::microseconds>(time).count());
  };
  auto downstream_us = in_us(account.downstream);
  for (const auto cause : {SleepCause::kNetwork, SleepCause::kEvents}) {
    auto& part = parts[static_cast<std::size_t>(cause)];
    const auto its = std::min<std::uint64_t>(part, downstream_us);
    part -= static_cast<std::uint32_t>(its);
    downstream_us -= its;
  }
  const auto seen = std::accumulate(parts.begin(), parts.end(), std::uint64_t{0});
  const auto room = in_us(account.asleep(wall) - account.downstream);
  if (seen <= room) return;
  for (auto& part : parts)
    part = static_cast<std::uint32_t>(static_cast<double>(part) * static_cast<double>(room) /
                                      static_cast<double>(seen));
}

void account_for_thread(Account& account, const AccountEnd& begun, const AccountEnd& ended,
                        Duration wall) {
  const auto& from = begun.call;
  const auto& to = ended.call;
  account.thread_known = true;
  account.cpu_wait_known = from.cpu_wait_known && to.cpu_wait_known;
  const auto begun_times = times_of(from);
  auto ended_times = times_of(to);
  if (!account.cpu_wait_known) ended_times.cpu_wait = begun_times.cpu_wait;
  const auto awake = awake_between(begun_times, ended_times, wall);
  account.cpu_wait = awake.cpu_wait;
  account.on_cpu = awake.on_cpu;
  account.throttle_known = from.throttle_known && to.throttle_known && from.group == to.group;
  if (account.throttle_known) {
    account.throttled_times = difference(from.throttled_times, to.throttled_times);
    account.throttled = std::min(between(from.throttled, to.throttled), account.cpu_wait);
  }
  account.minor_faults = difference(from.minor_faults, to.minor_faults);
  account.major_faults = difference(from.major_faults, to.major_faults);
  if (begun.work.place == 0 || begun.work.place != ended.work.place) return;
  account.shared_with = difference(begun.work.ended, ended.work.ended);
  account.downstream =
      std::min(between(begun.work.downstream, ended.work.downstream), account.asleep(wall));
  split_sleep(account, begun.work, ended.work, wall);
}

}  // namespace

Account without_thread(const Account& account) {
  Account left;
  left.retransmits = account.retransmits;
  left.out_of_order = account.out_of_order;
  left.receiver_limited_ms = account.receiver_limited_ms;
  left.socket_known = account.socket_known;
  left.before.connect_us = account.before.connect_us;
  left.moves = true;
  return left;
}

Account account_between(const AccountEnd& begun, const AccountEnd& ended, Duration wall) {
  Account account;
  const auto& from = begun.call;
  const auto& to = ended.call;
  if (!from.time.known() || !to.time.known()) return account;
  if (from.thread != 0 && from.thread == to.thread)
    account_for_thread(account, begun, ended, wall);
  else
    account.other_thread = from.thread != 0 && to.thread != 0;
  if (from.socket_known && to.socket_known) {
    account.socket_known = true;
    account.retransmits = difference(from.retransmits, to.retransmits);
    account.out_of_order = difference(from.out_of_order, to.out_of_order);
    account.receiver_limited_ms = difference(from.receiver_limited_ms, to.receiver_limited_ms);
  }
  return account;
}

}  // namespace exa
