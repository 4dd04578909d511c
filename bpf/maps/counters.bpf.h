/* One value a CPU with every counter. Rows that programs of different contexts share are added to
 * atomically: a softirq may come between another program's load and store. */
#ifndef EXA_BPF_MAPS_COUNTERS_H
#define EXA_BPF_MAPS_COUNTERS_H

#include <bpf/bpf_helpers.h>

#include "exa/abi/counters.h"

struct exa_counter_row {
  __u64 value[EXA_COUNTER_COUNT];
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct exa_counter_row);
} exa_counters SEC(".maps");

static __always_inline struct exa_counter_row* exa_counters_of_this_cpu(void) {
  const __u32 only = 0;
  return bpf_map_lookup_elem(&exa_counters, &only);
}

#define EXA_COUNT(row, name) ((row)->value[EXA_COUNTER_##name] += 1)
#define EXA_COUNT_SHARED(row, name) __sync_fetch_and_add(&(row)->value[EXA_COUNTER_##name], 1)

#endif
