/* The preface of HTTP/2. */
#ifndef EXA_BPF_LIB_SNIFF_HTTP2_H
#define EXA_BPF_LIB_SNIFF_HTTP2_H

#include "bpf/lib/sniff/word.h"

static __always_inline int exa_sniff_http2(__u64 word) {
  return word == EXA_TEXT8('P', 'R', 'I', ' ', '*', ' ', 'H', 'T');
}

#endif
