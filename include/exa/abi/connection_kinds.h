/* What the connections of a process carry besides HTTP/1 that is read: what cannot be read, and
 * why, and TLS, which is read or not. Each connection is counted once, when its kind is seen.
 *
 * X(enumerator, sentence): for people, of what is not read. The same rows stand in
 * exa/abi/counters.h, in this order, as CONNECTIONS_<enumerator>. */
#ifndef EXA_ABI_CONNECTION_KINDS_H
#define EXA_ABI_CONNECTION_KINDS_H

#include "exa/abi/counters.h"
#include "exa/abi/types.h"

/* clang-format off */
#define EXA_CONNECTION_KINDS(X)                                                                    \
  X(TLS, "TLS")                                                                                    \
  X(TLS_READ, "TLS that is read")                                                                  \
  X(HTTP2, "HTTP/2 in a tunnel is not parsed yet")                                                 \
  X(HTTP3, "UDP on port 443, usually HTTP/3, is not read")                                         \
  X(IO_URING, "through io_uring, whose buffers are out of reach")                                  \
  X(SPLICED, "spliced or sent by sendfile from the first byte: their heads cannot be seen")        \
  X(COMPAT, "of a 32-bit program, whose system calls are not supported")                           \
  X(MPTCP, "over MPTCP, whose bytes are not read")                                                 \
  X(UNKNOWN, "no known protocol")
/* clang-format on */

enum exa_connection_kind {
#define EXA_X(name, sentence) EXA_KIND_##name,
  EXA_CONNECTION_KINDS(EXA_X)
#undef EXA_X
      EXA_KIND_COUNT
};

enum {
#define EXA_X(name, sentence) \
  EXA_CHECK_##name =          \
      1 / (EXA_COUNTER_CONNECTIONS_##name - EXA_COUNTER_CONNECTIONS_TLS == EXA_KIND_##name),
  EXA_CONNECTION_KINDS(EXA_X)
#undef EXA_X
};

/* Value of map exa_kinds, key tgid. */
struct exa_connection_counts {
  __u32 connections[EXA_KIND_COUNT];
  __u8 comm[16];
};
EXA_ASSERT_SIZE(struct exa_connection_counts, 52);

#endif
