/* What each thread that moved observed bytes slept on since that was told last. Made by the
 * programs of its calls, written by the one at the scheduler's switches; the kernel frees an entry
 * with its thread. */
#ifndef EXA_BPF_MAPS_SLEEPS_H
#define EXA_BPF_MAPS_SLEEPS_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/lib/kernel_types.bpf.h"
#include "exa/abi/sleep.h"

struct exa_thread_sleeps {
  __u64 told_ns;   /* up to then the ring knows; 0: the entry is new */
  __u64 untold_ns; /* about the sum of asleep_ns */
  __u64 ended_ns;  /* when the last one of these was over */
  __u64 asleep_ns[EXA_SLEEP_CAUSES];
  __u64 since_ns;     /* when it fell asleep */
  __u64 until_ns;     /* when it was on a CPU again; 0: it sleeps */
  __u64 switches;     /* its voluntary ones, when it fell asleep */
  __u64 run_delay_ns; /* what it had ever waited for a CPU, when it fell asleep */
  __u32 doing;        /* what it sleeps on, or slept, as long as that is not added up; 0: nothing */
  __u32 reserved;
};

struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct exa_thread_sleeps);
} exa_sleeps SEC(".maps");

/* Not 0: the program at the scheduler's switches is there. Written by the prober. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u32);
} exa_following SEC(".maps");

/* The thread runs, and has not left its CPU since it woke up: what it has waited for one since it
 * fell asleep was the end of that time, and no sleep. It may be preempted in here, and its switch
 * then comes in between: whoever takes until_ns adds, and what is read after that may be of a wait
 * that came later. */
static __always_inline void exa_add_up_sleep(struct exa_thread_sleeps* sleeps,
                                             const struct task_struct* task) {
  const __u64 until = *(volatile __u64*)&sleeps->until_ns;
  __u64 slept, ready = 0;
  __u32 doing;

  if (!until) return;
  doing = sleeps->doing;
  slept = until - sleeps->since_ns;
  if (bpf_core_field_exists(task->sched_info.run_delay))
    ready = task->sched_info.run_delay - sleeps->run_delay_ns;
  if (!__sync_lock_test_and_set(&sleeps->until_ns, 0)) return;
  if (doing == EXA_DOING_EPOLL || doing == EXA_DOING_POLL_ONE) doing = EXA_DOING_EVENTS;
  doing -= EXA_DOING_LOCK;
  if (doing >= EXA_SLEEP_CAUSES || ready >= slept) return;
  sleeps->asleep_ns[doing] += slept - ready;
  sleeps->untold_ns += slept - ready;
  sleeps->ended_ns = until;
}

#endif
