/* What the kernel knows, when a call has moved bytes, of the thread that made it and of the socket:
 * running totals, of which two readings make the account of what went on between them. */
#ifndef EXA_ABI_FACTS_H
#define EXA_ABI_FACTS_H

#include "exa/abi/types.h"

/* Which facts this kernel has told. */
enum exa_facts_known {
  EXA_FACTS_THREAD = 1,   /* times, switches, faults */
  EXA_FACTS_CPU_WAIT = 2, /* needs SCHED_INFO */
  EXA_FACTS_THROTTLE = 4, /* needs CFS_BANDWIDTH */
  EXA_FACTS_SOCKET = 8,
  /* Of a read: the call might sleep until there is something, so that its thread waits for nothing
   * else; and the socket is in the set of an epoll, as those of event loops are. */
  EXA_FACTS_MAY_SLEEP = 16,
  EXA_FACTS_POLLED = 32,
  EXA_FACTS_SLEEPS = 64, /* whatever the thread sleeps on is told, SLEEPS */
};

struct exa_thread_facts {
  __u64 cpu_wait_ns;   /* runnable, and waited for a CPU (throttled, too) */
  __u64 on_cpu_ns;     /* up to date as of exec_start_ns */
  __u64 exec_start_ns; /* on the clock of the CPU's run queue, of which only differences count */
  __u64 throttled_ns;  /* of its cgroup and those above it, on all CPUs together */
  __u32 throttled;     /* how often */
  __u32 thread; /* a number that no other thread, nor this one before an exec, has; sleep.h */
  __u32 voluntary_switches; /* it went to sleep */
  __u32 minor_faults;
  __u32 major_faults;
  __u16 known; /* exa_facts_known */
  __u16 group; /* of the throttle: another number, another cgroup; 0: there is no quota */
};
EXA_ASSERT_SIZE(struct exa_thread_facts, 56);

struct exa_socket_facts {
  __u32 retransmits; /* segments sent again */
  __u32 out_of_order;
  __u32 receiver_limited_ms; /* had something to send, and the peer's window was full */
  __u32 connect_us; /* with the first bytes that a client sends, how long it took to connect */
};
EXA_ASSERT_SIZE(struct exa_socket_facts, 16);

struct exa_call_facts {
  struct exa_thread_facts thread;
  struct exa_socket_facts socket;
};
EXA_ASSERT_SIZE(struct exa_call_facts, 72);

#endif
