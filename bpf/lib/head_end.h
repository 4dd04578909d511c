/* Does the captured first part of a chunk hold one whole message head, with nothing behind it that
 * looks like a second one? Pure: compiled into the BPF programs and into the unit tests. */
#ifndef EXA_BPF_LIB_HEAD_END_H
#define EXA_BPF_LIB_HEAD_END_H

#include "bpf/lib/sniff/http1.h"
#include "exa/abi/types.h"

enum { EXA_FIRST_CAPTURE_BYTES = 1024 };

enum exa_head_scan {
  EXA_HEAD_OPEN = 0,   /* no head ends in this word */
  EXA_HEAD_ENDS = 1,   /* an empty line ends the head, and what follows does not begin another */
  EXA_HEAD_UNSURE = 2, /* what follows the head may begin another, or is out of sight */
  EXA_HEAD_AGAIN = 3,  /* another head follows at once: the messages are pipelined */
};

/* Not zero where the word holds a carriage return; which byte is not said. */
static __always_inline __u64 exa_carriage_returns(__u64 word) {
  const __u64 zero_where_equal = word ^ 0x0d0d0d0d0d0d0d0dull;
  return (zero_where_equal - 0x0101010101010101ull) & ~zero_where_equal & 0x8080808080808080ull;
}

/* Looks for the empty line (CR LF CR LF) that begins in word, the 8 bytes at offset at of the
 * capture, with the 8 bytes after it, zeroes where the first capture ends. */
static __always_inline enum exa_head_scan exa_scan_word(__u64 word, __u64 next, __u32 at) {
  if (!exa_carriage_returns(word)) return EXA_HEAD_OPEN;
  for (__u32 i = 0; i < 8; ++i) {
    const __u64 sight = i == 0 ? word : word >> (8 * i) | next << (64 - 8 * i);
    if ((__u32)sight != EXA_TEXT4('\r', '\n', '\r', '\n')) continue;
    if (at + i == 0) continue; /* PROXY protocol, version 2, begins so */
    if (at + i + 4 >= EXA_FIRST_CAPTURE_BYTES) return EXA_HEAD_UNSURE;
    if (exa_sniff_start(sight >> 32)) return EXA_HEAD_AGAIN;
    return exa_sniff_lenient(sight >> 32) ? EXA_HEAD_UNSURE : EXA_HEAD_ENDS;
  }
  return EXA_HEAD_OPEN;
}

/* One step over the first capture, EXA_FIRST_CAPTURE_BYTES aligned bytes; steps go from 0 to
 * EXA_FIRST_CAPTURE_WORDS - 1. In BPF programs bpf_loop takes the steps, so that the verifier looks
 * at one. */
enum { EXA_FIRST_CAPTURE_WORDS = EXA_FIRST_CAPTURE_BYTES / 8 };
static __always_inline enum exa_head_scan exa_head_step(const __u64* words, __u32 step) {
  if (step >= EXA_FIRST_CAPTURE_WORDS) return EXA_HEAD_UNSURE;
  return exa_scan_word(words[step], step + 1 < EXA_FIRST_CAPTURE_WORDS ? words[step + 1] : 0,
                       step * 8);
}

#endif
