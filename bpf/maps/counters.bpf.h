/* Every counter, in rows of one value per CPU. Each I/O program has a row of its own, and adds to
 * it plainly: the kernel never enters a program that is already running on this CPU. All others
 * share row 0 and add atomically: a softirq, or a thread that preempts, may come between load and
 * store. */
#ifndef EXA_BPF_MAPS_COUNTERS_H
#define EXA_BPF_MAPS_COUNTERS_H

#include <bpf/bpf_helpers.h>

#include "exa/abi/counters.h"

struct exa_counter_row {
  __u64 value[EXA_COUNTER_COUNT];
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, EXA_COUNTER_ROWS);
  __type(key, __u32);
  __type(value, struct exa_counter_row);
} exa_counters SEC(".maps");

static __always_inline struct exa_counter_row* exa_counters_of_this_cpu(void) {
  const __u32 shared = 0;
  return bpf_map_lookup_elem(&exa_counters, &shared);
}

/* direction and number: which of the I/O programs asks, see exa_sock_send. */
static __always_inline struct exa_counter_row* exa_counters_of_program(const int direction,
                                                                       const int number) {
  const __u32 own = 1 + EXA_IO_DIRECTIONS * number + direction;
  return bpf_map_lookup_elem(&exa_counters, &own);
}

#define EXA_COUNT(row, name) ((row)->value[EXA_COUNTER_##name] += 1)
#define EXA_COUNT_SHARED(row, name) __sync_fetch_and_add(&(row)->value[EXA_COUNTER_##name], 1)

#endif
