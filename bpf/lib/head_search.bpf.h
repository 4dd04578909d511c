/* The search for the end of a head, step by step under bpf_loop. */
#ifndef EXA_BPF_LIB_HEAD_SEARCH_H
#define EXA_BPF_LIB_HEAD_SEARCH_H

#include <bpf/bpf_helpers.h>

#include "bpf/lib/head_end.h"

struct exa_head_search {
  const __u64* words;
  __u64 found; /* exa_head_scan */
};

static long exa_head_search_step(__u32 step, struct exa_head_search* search) {
  search->found = exa_head_step(search->words, step);
  return search->found != EXA_HEAD_OPEN;
}

/* payload: EXA_FIRST_CAPTURE_BYTES of a chunk. */
static __always_inline int exa_head_ends_within(const __u8* payload) {
  struct exa_head_search search = {.words = (const __u64*)payload};
  bpf_loop(EXA_FIRST_CAPTURE_WORDS, exa_head_search_step, &search, 0);
  return search.found == EXA_HEAD_ENDS;
}

#endif
