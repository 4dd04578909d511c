/* What is remembered of processes. Both maps hang on the leader of the thread group, so the kernel
 * frees an entry with its process: no entry outlives it, none falls to the next owner of its
 * number, and processes that are gone take nobody's place. */
#ifndef EXA_BPF_MAPS_PROCESSES_H
#define EXA_BPF_MAPS_PROCESSES_H

#include <bpf/bpf_helpers.h>

#include "bpf/lib/ring_share.h"
#include "exa/abi/config.h"

struct exa_process_state {
  __u32 told;        /* the rings have heard of the program that it runs now */
  __u32 ended;       /* its end was told */
  __u32 tls_seconds; /* when TLS traffic was last told, in units of 2^30 ns */
  __u32 reserved;
  struct exa_ring_share share[EXA_MAX_EVENT_RINGS]; /* used while a ring is above its mark */
};
EXA_ASSERT_SIZE(struct exa_process_state, 80);

/* Processes that did TCP I/O. Entered and written by the programs only. No memory for an entry:
 * DROPPED_PROCESS_NO_STATE. */
struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct exa_process_state);
} exa_processes SEC(".maps");

/* Written by the prober only, through a pidfd; taken away at exec. */
struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct exa_verdict);
} exa_verdicts SEC(".maps");

/* What was refused to a process because it had its share, so that somebody can say which process it
 * was. Entered by the programs, the oldest make room; read by the prober. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 256);
  __type(key, __u32);
  __type(value, struct exa_noisy_process);
} exa_noisy SEC(".maps");

#endif
