/* Where a chunk record is put together: each I/O program has a slot per CPU. A slot has one
 * program, and the kernel never enters a program that is already running on this CPU, even where it
 * preempts programs. */
#ifndef EXA_BPF_MAPS_SCRATCH_H
#define EXA_BPF_MAPS_SCRATCH_H

#include <bpf/bpf_helpers.h>

#include "bpf/lib/scratch.bpf.h"
#include "exa/abi/counters.h"

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, EXA_IO_DIRECTIONS* EXA_IO_PROGRAMS);
  __type(key, __u32);
  __type(value, struct exa_scratch);
} exa_scratch SEC(".maps");

#endif
