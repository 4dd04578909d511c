/* How HTTP/2 begins. */
#ifndef EXA_BPF_LIB_SNIFF_HTTP2_H
#define EXA_BPF_LIB_SNIFF_HTTP2_H

#include "bpf/lib/sniff/word.h"
#include "exa/abi/http2.h"

/* The client's preface. */
static __always_inline int exa_sniff_http2(__u64 word) {
  return word == EXA_TEXT8('P', 'R', 'I', ' ', '*', ' ', 'H', 'T');
}

/* The server's: a frame of SETTINGS, as far as 8 bytes tell. Servers need not wait for the client,
 * and many do not. */
static __always_inline int exa_sniff_http2_settings(__u64 word) {
  const __u32 length = (__u32)(word >> 16 & 0xff);
  return (word & 0xffffffffff00ffffull) == EXA_TEXT8(0, 0, 0, EXA_HTTP2_SETTINGS, 0, 0, 0, 0) &&
         length % 6 == 0;
}

/* Can these be the first bytes of a frame's header? */
static __always_inline int exa_sniff_frame(__u64 word) {
  return (word >> 24 & 0xff) <= EXA_HTTP2_CONTINUATION && !(word >> 40 & 0x80);
}

#endif
