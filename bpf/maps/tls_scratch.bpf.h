/* Where the TLS programs put a chunk record together. With preemption forbidden
 * (lib/preemption.bpf.h) a CPU runs one of them at a time. Before Linux 6.10 it cannot be
 * forbidden, and another thread may run the same program meanwhile: so each takes a free slot and
 * gives it back. None free: TLS_DROPPED_SCRATCH_BUSY. */
#ifndef EXA_BPF_MAPS_TLS_SCRATCH_H
#define EXA_BPF_MAPS_TLS_SCRATCH_H

#include <bpf/bpf_helpers.h>

#include "bpf/lib/scratch.bpf.h"

enum { EXA_TLS_SCRATCH_SLOTS = 4 };

struct exa_tls_scratch {
  __u64 busy;
  struct exa_scratch scratch;
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, EXA_TLS_SCRATCH_SLOTS);
  __type(key, __u32);
  __type(value, struct exa_tls_scratch);
} exa_tls_scratch SEC(".maps");

static __always_inline struct exa_tls_scratch* exa_tls_scratch_take(void) {
  for (__u32 i = 0; i < EXA_TLS_SCRATCH_SLOTS; ++i) {
    const __u32 slot = i;
    struct exa_tls_scratch* scratch = bpf_map_lookup_elem(&exa_tls_scratch, &slot);
    if (scratch && __sync_lock_test_and_set(&scratch->busy, 1) == 0) return scratch;
  }
  return 0;
}

static __always_inline void exa_tls_scratch_give_back(struct exa_tls_scratch* scratch) {
  __sync_lock_test_and_set(&scratch->busy, 0);
}

#endif
