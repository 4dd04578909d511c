/* The control ring: process records for the prober, which is woken at each. */
#ifndef EXA_BPF_MAPS_CONTROL_H
#define EXA_BPF_MAPS_CONTROL_H

#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 256 << 10);
} exa_control SEC(".maps");

#endif
