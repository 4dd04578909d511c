/* Tells what the current thread slept on, in its own call: nothing is written into a ring while the
 * scheduler switches. */
#ifndef EXA_BPF_LIB_SLEEPS_H
#define EXA_BPF_LIB_SLEEPS_H

#include <bpf/bpf_helpers.h>

#include "bpf/lib/records.bpf.h"
#include "bpf/lib/ring_room.bpf.h"
#include "bpf/lib/verified_once.h"
#include "bpf/maps/sleeps.bpf.h"
#include "exa/abi/facts.h"

/* Less than that waits until there is more: a body's calls would have a record each. */
enum { EXA_SLEEP_WORTH_TELLING_NS = 100000 };

/* Its time is that of the last sleep, which is before that of the call, so that the ring stays in
 * the order of times. */
static __always_inline int exa_tell_sleeps_of(struct exa_thread_sleeps* sleeps, __u32 thread,
                                              struct exa_counter_row* row) {
  struct exa_sleeps_event event = {};
  int room;

  room = exa_ring_room(bpf_get_current_task_btf(), sizeof(event));
  if (room & EXA_ROOM_REFUSED) {
    EXA_COUNT_SHARED(row, DROPPED_SLEEPS_OVER_SHARE);
    return 0;
  }
  exa_fill_header(&event.header, EXA_EVENT_SLEEPS, sizeof(event), sleeps->ended_ns, 0, 0);
  event.from_ns = sleeps->told_ns;
  event.thread = thread;
#pragma clang loop unroll(full)
  for (int i = 0; i < EXA_SLEEP_CAUSES; ++i)
    event.asleep_us[i] = sleeps->asleep_ns[i] / 1000;
  if (exa_events_output(&event, sizeof(event),
                        room & EXA_ROOM_WAKE ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP)) {
    EXA_COUNT_SHARED(row, DROPPED_SLEEPS_RING_FULL);
    return 0;
  }
  EXA_COUNT_SHARED(row, EMITTED_SLEEPS);
#pragma clang loop unroll(full)
  for (int i = 0; i < EXA_SLEEP_CAUSES; ++i)
    sleeps->asleep_ns[i] -= 1000ull * event.asleep_us[i];
  sleeps->untold_ns = 0;
  return 1;
}

/* From now on it is followed what the thread sleeps on; before the record of a call that is worth
 * it, what that was is told. What is not told now, or cannot be, is told later. Returns
 * EXA_FACTS_SLEEPS if it is followed. */
EXA_VERIFIED_ONCE int exa_follow_sleeps(__u32 thread, int tell) {
  struct task_struct* task = bpf_get_current_task_btf();
  const __u32 first = 0;
  const __u32* following = bpf_map_lookup_elem(&exa_following, &first);
  struct exa_counter_row* row = exa_counters_of_this_cpu();
  struct exa_thread_sleeps* sleeps;
  __u64 now;

  if (!following || !*following || !row) return 0;
  sleeps = bpf_task_storage_get(&exa_sleeps, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!sleeps) {
    EXA_COUNT_SHARED(row, DROPPED_SLEEPS_NO_STATE);
    return 0;
  }
  if (!tell && sleeps->told_ns) return EXA_FACTS_SLEEPS;
  exa_add_up_sleep(sleeps, task);
  now = bpf_ktime_get_ns();
  if (sleeps->untold_ns < EXA_SLEEP_WORTH_TELLING_NS || exa_tell_sleeps_of(sleeps, thread, row))
    sleeps->told_ns = now;
  return EXA_FACTS_SLEEPS;
}

#endif
