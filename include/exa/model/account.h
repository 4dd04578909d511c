// Why one exchange took as long as it did: where the time of the thread that handled it went, from
// the read of the request to the last byte of the answer, and what its socket had to do.
//
// wall = cpu_wait + on_cpu + asleep. Unknown where it could not be measured: never guessed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "exa/base/time.h"

namespace exa {

// What a thread slept on, as far as it is told apart.
enum class SleepCause : std::uint8_t {
  kLock,
  kDisk,
  kTimer,
  kPipe,
  kNetwork,  // beyond requests of its own that were observed
  kEvents,   // one of several descriptors: epoll, poll, select
  kChild,    // the end or the exec of a process of its own
  kStopped,  // by a signal, a debugger or a freezer
  kCount
};
inline constexpr auto kSleepCauses = static_cast<std::size_t>(SleepCause::kCount);
using SleepTimes = std::array<std::uint32_t, kSleepCauses>;  // microseconds by SleepCause

// What was before an exchange, which its duration leaves out. Zero where it is not known.
struct BeforeExchange {
  std::uint32_t connect_us = 0;  // of the first request on a client's connection: to make that
  // Of the time from a request's arrival until it was read, what the thread that read it did at
  // least.
  std::uint32_t queued_cpu_wait_us = 0;    // it was ready, and waited for a CPU
  std::uint32_t queued_other_work_us = 0;  // it was on a CPU
};

struct Account {
  // Of the thread. All zero unless thread_known: the same one read the request and wrote the
  // answer's last byte.
  Duration cpu_wait{};   // runnable, and waited for a CPU; of that:
  Duration throttled{};  // kept from one by the quota of its cgroup, or of one above
  Duration on_cpu{};
  Duration downstream{};  // of what it slept, in requests that it made itself
  // Of what it slept otherwise. Where its sleeps are not followed, from looks at the thread every
  // 20 ms or so, and only where it takes longer than a few of them: less than all may be told.
  SleepTimes asleep_us{};
  std::uint32_t throttled_times = 0;
  std::uint32_t minor_faults = 0;
  std::uint32_t major_faults = 0;  // with a read from disk
  // Exchanges that this thread served meanwhile, at least: the times are theirs, too.
  std::uint32_t shared_with = 0;

  // Of the socket. All zero unless socket_known.
  std::uint32_t retransmits = 0;
  std::uint32_t out_of_order = 0;
  std::uint32_t receiver_limited_ms = 0;  // had something to send, and the peer's window was full

  BeforeExchange before;

  bool thread_known = false;
  bool other_thread = false;  // known to be different ones at both ends
  bool moves = false;         // its process moves work between threads: the same one says nothing
  bool cpu_wait_known = false;
  bool throttle_known = false;
  bool socket_known = false;

  // Of an exchange that lasted so long.
  [[nodiscard]] Duration asleep(Duration wall) const {
    const auto awake = cpu_wait + on_cpu;
    return thread_known && awake < wall ? wall - awake : Duration::zero();
  }
};

}  // namespace exa
