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

/* Where the head that begins a chunk ends, by the first bytes captured of it. Behind them payload
 * has room for a word, which becomes zero. */
static __always_inline enum exa_head_scan exa_search_head_end(__u8* payload, __u32 bytes) {
  struct exa_head_search search = {.words = (const __u64*)payload};
  if (bytes > EXA_FIRST_CAPTURE_BYTES) bytes = EXA_FIRST_CAPTURE_BYTES;
  *(__u64*)(payload + bytes) = 0;
  bpf_loop((bytes + 7) / 8, exa_head_search_step, &search, 0);
  return search.found;
}

#endif
