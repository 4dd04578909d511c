/* Reads that a thread is in besides its newest call: coroutines switch stacks within a library, and
 * one library reads through another. Key is the process and the stack pointer, which no two calls
 * under way have in common. Reads that were left without a return stay; the oldest make room. */
#ifndef EXA_BPF_MAPS_TLS_PARKED_H
#define EXA_BPF_MAPS_TLS_PARKED_H

#include <bpf/bpf_helpers.h>

#include "bpf/lib/tls_stream.h"

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 4096);
  __type(key, struct exa_tls_key);
  __type(value, struct exa_tls_call);
} exa_tls_parked SEC(".maps");

#endif
