/* The last bytes of a run: do they end a chunked body. Pure: compiled into the BPF programs and
 * into the unit tests. A word holds 8 bytes, the oldest lowest. */
#ifndef EXA_BPF_LIB_LAST_BYTES_H
#define EXA_BPF_LIB_LAST_BYTES_H

#include "bpf/lib/sniff/word.h"
#include "bpf/lib/socket_state.h"
#include "exa/abi/types.h"

/* The last 8 bytes after so many more, which word holds from its lowest byte on. */
static __always_inline __u64 exa_join_last(__u64 before, __u64 word, __u32 bytes) {
  if (bytes == 0) return before;
  if (bytes >= 8) return word;
  return before >> (8 * bytes) | word << (64 - 8 * bytes);
}

/* The last chunk of a body, without trailers: behind the end of the chunk before it; or as all that
 * one call has moved, where what was before it is not known. */
static __always_inline int exa_ends_chunks(__u64 last, __u32 length) {
  if (last >> 8 == EXA_TEXT8('\r', '\n', '0', '\r', '\n', '\r', '\n', 0)) return 1;
  return length == 5 && last >> 24 == EXA_TEXT8('0', '\r', '\n', '\r', '\n', 0, 0, 0) &&
         !(last << 40);
}

/* Known, and no end of a chunked body, not even of one with trailers. */
static __always_inline int exa_ends_open(__u64 last) {
  return last && last >> 32 != EXA_TEXT4('\r', '\n', '\r', '\n');
}

/* A chunk of length bytes moved, which ends with word. True if it ends a chunked body. */
static __always_inline int exa_note_last(struct exa_run* run, __u64 word, __u32 bytes,
                                         __u32 length) {
  run->last = exa_join_last(run->last, word, bytes);
  return exa_ends_chunks(run->last, length);
}

#endif
