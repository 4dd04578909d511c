/* The data ring: everything the pipeline reads. Written by all programs; the loader sets its size.
 */
#ifndef EXA_BPF_MAPS_EVENTS_H
#define EXA_BPF_MAPS_EVENTS_H

#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 8 << 20);
} exa_events SEC(".maps");

#endif
