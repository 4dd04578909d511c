// What the kernel knew when a call moved bytes: running totals of the thread that made it and of
// its socket. Two of them make an Account. A value.
#pragma once

#include <cstdint>

#include "exa/base/time.h"

namespace exa {

struct CallFacts {
  MonotonicTime time;  // when the call's last byte moved; unknown: nothing is known
  // Of the thread, unless its number is 0.
  Duration cpu_wait{};
  Duration on_cpu{};  // brought up to date at exec_start, which is on the clock of that CPU
  Duration throttled{};
  std::uint64_t exec_start_ns = 0;
  std::uint32_t cpu = 0;
  std::uint32_t thread = 0;  // no other one has it
  std::uint32_t throttled_times = 0;
  std::uint32_t voluntary_switches = 0;  // it went to sleep
  std::uint32_t minor_faults = 0;
  std::uint32_t major_faults = 0;
  // Of the socket.
  std::uint32_t retransmits = 0;
  std::uint32_t out_of_order = 0;
  std::uint32_t receiver_limited_ms = 0;
  std::uint32_t connect_us = 0;  // with the first bytes that a client sends, else 0
  std::uint16_t group = 0;       // the cgroup of the throttle
  bool cpu_wait_known = false;
  bool throttle_known = false;
  bool socket_known = false;
  // A read from a plain socket in which its thread might have slept, for that socket alone, and
  // that no epoll watches: not as event loops read.
  bool waits_itself = false;
  bool sleeps_told = false;  // all that its thread sleeps on will be
};
static_assert(sizeof(CallFacts) <= 88);

}  // namespace exa
