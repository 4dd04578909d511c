/* Connections of each process by kind, for whoever is told what is not read. Entered by the
 * programs, taken away when the process ends or executes another program; of more processes the
 * oldest make room, and only the counters of the host still know of them. Read by the prober. */
#ifndef EXA_BPF_MAPS_CONNECTION_KINDS_H
#define EXA_BPF_MAPS_CONNECTION_KINDS_H

#include <bpf/bpf_helpers.h>

#include "exa/abi/connection_kinds.h"

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 2048);
  __type(key, __u32);
  __type(value, struct exa_connection_counts);
} exa_kinds SEC(".maps");

#endif
