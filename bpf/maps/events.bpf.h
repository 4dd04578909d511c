/* The data rings: everything the pipeline reads. Written by all programs, each CPU to the ring of
 * its number, so that two CPUs that exchange a request do not pull one ring's lock and positions
 * from each other. The loader makes and enters the rings, a power of two of them. */
#ifndef EXA_BPF_MAPS_EVENTS_H
#define EXA_BPF_MAPS_EVENTS_H

#include <bpf/bpf_helpers.h>

#include "bpf/lib/capture_config.bpf.h"
#include "bpf/lib/kernel_types.bpf.h"
#include "exa/abi/config.h"

struct exa_event_ring {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 64 << 10);
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __uint(max_entries, EXA_MAX_EVENT_RINGS);
  __type(key, __u32);
  __array(values, struct exa_event_ring);
} exa_events SEC(".maps");

static __always_inline long exa_events_output(void* record, __u64 size, __u64 flags) {
  const __u32 slot = bpf_get_smp_processor_id() & exa_config.event_ring_mask;
  void* ring = bpf_map_lookup_elem(&exa_events, &slot);
  return ring ? bpf_ringbuf_output(ring, record, size, flags) : -EAGAIN;
}

#endif
