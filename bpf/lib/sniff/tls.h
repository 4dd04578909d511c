/* Records of TLS. */
#ifndef EXA_BPF_LIB_SNIFF_TLS_H
#define EXA_BPF_LIB_SNIFF_TLS_H

#include "bpf/lib/sniff/word.h"

/* A TLS ClientHello, all of whose record's head is there. */
static __always_inline int exa_sniff_client_hello(__u64 word) {
  return (word & 0xffff) == 0x0316 && (word >> 16 & 0xff) <= 4 && (word >> 40 & 0xff) == 1;
}

/* A TLS handshake record, version 3.x; or one of application data, as the first that is seen of a
 * connection that is older than the agent. */
static __always_inline int exa_sniff_tls(__u64 word) {
  const __u32 length = (__u32)((word >> 24 & 0xff) << 8 | (word >> 32 & 0xff));
  if ((word & 0xffff) == 0x0316) return 1;
  return (word & 0xffffff) == 0x030317 && length > 0 && length <= 16384 + 256;
}

#endif
