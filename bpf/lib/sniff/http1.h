/* Start lines of HTTP/1, as far as a word tells. */
#ifndef EXA_BPF_LIB_SNIFF_HTTP1_H
#define EXA_BPF_LIB_SNIFF_HTTP1_H

#include "bpf/lib/sniff/word.h"
#include "bpf/lib/verified_once.h"

/* "GET ", "PUT " and the other method names of HTTP as far as 8 bytes tell. */
EXA_VERIFIED_ONCE int exa_sniff_request(__u64 word) {
  switch ((__u32)word) {
    case EXA_TEXT4('G', 'E', 'T', ' '):
    case EXA_TEXT4('P', 'U', 'T', ' '):
      return 1;
    case EXA_TEXT4('P', 'O', 'S', 'T'):
      return (word & EXA_FIRST5) == EXA_TEXT8('P', 'O', 'S', 'T', ' ', 0, 0, 0);
    case EXA_TEXT4('H', 'E', 'A', 'D'):
      return (word & EXA_FIRST5) == EXA_TEXT8('H', 'E', 'A', 'D', ' ', 0, 0, 0);
    case EXA_TEXT4('D', 'E', 'L', 'E'):
      return (word & EXA_FIRST7) == EXA_TEXT8('D', 'E', 'L', 'E', 'T', 'E', ' ', 0);
    case EXA_TEXT4('O', 'P', 'T', 'I'):
      return word == EXA_TEXT8('O', 'P', 'T', 'I', 'O', 'N', 'S', ' ');
    case EXA_TEXT4('P', 'A', 'T', 'C'):
      return (word & EXA_FIRST6) == EXA_TEXT8('P', 'A', 'T', 'C', 'H', ' ', 0, 0);
    case EXA_TEXT4('C', 'O', 'N', 'N'):
      return word == EXA_TEXT8('C', 'O', 'N', 'N', 'E', 'C', 'T', ' ');
    case EXA_TEXT4('T', 'R', 'A', 'C'):
      return (word & EXA_FIRST6) == EXA_TEXT8('T', 'R', 'A', 'C', 'E', ' ', 0, 0);
    case EXA_TEXT4('Q', 'U', 'E', 'R'):
      return (word & EXA_FIRST6) == EXA_TEXT8('Q', 'U', 'E', 'R', 'Y', ' ', 0, 0);
  }
  return 0;
}

/* "HTTP/1." */
static __always_inline int exa_sniff_response(__u64 word) {
  return (word & EXA_FIRST7) == EXA_TEXT8('H', 'T', 'T', 'P', '/', '1', '.', 0);
}

/* The first 4 bytes of a start line, as far as they tell: what may follow another head at once. */
static __always_inline int exa_sniff_start(__u32 word) {
  switch (word) {
    case EXA_TEXT4('G', 'E', 'T', ' '):
    case EXA_TEXT4('P', 'U', 'T', ' '):
    case EXA_TEXT4('P', 'O', 'S', 'T'):
    case EXA_TEXT4('H', 'E', 'A', 'D'):
    case EXA_TEXT4('D', 'E', 'L', 'E'):
    case EXA_TEXT4('O', 'P', 'T', 'I'):
    case EXA_TEXT4('P', 'A', 'T', 'C'):
    case EXA_TEXT4('C', 'O', 'N', 'N'):
    case EXA_TEXT4('T', 'R', 'A', 'C'):
    case EXA_TEXT4('Q', 'U', 'E', 'R'):
    case EXA_TEXT4('H', 'T', 'T', 'P'):
      return 1;
  }
  return 0;
}

/* A message may begin here, by its first byte alone: the start line may be cut after one byte, and
 * a server tolerates an empty line before it. */
static __always_inline int exa_sniff_lenient(__u64 word) {
  const __u8 first = (__u8)word;
  return (first >= 'A' && first <= 'Z') || first == '\r' || first == '\n';
}

/* The same for the first bytes of a turn: methods may be written in lower case. */
static __always_inline int exa_sniff_word(__u64 word) {
  const __u8 first = (__u8)word;
  return exa_sniff_lenient(word) || (first >= 'a' && first <= 'z');
}

#endif
