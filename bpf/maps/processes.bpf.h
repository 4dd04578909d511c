/* Processes that did TCP I/O, and whether they are observed. Entered by the I/O programs or by the
 * prober with its verdict; deleted at exit and exec. Overflow: DROPPED_PROCESS_TABLE_FULL. */
#ifndef EXA_BPF_MAPS_PROCESSES_H
#define EXA_BPF_MAPS_PROCESSES_H

#include <bpf/bpf_helpers.h>

#include "exa/abi/config.h"

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 16384);
  __type(key, __u32);
  __type(value, struct exa_process_state);
} exa_processes SEC(".maps");

#endif
