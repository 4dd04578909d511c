/* How the prober tells the TLS programs which function a probe stands on: the cookie of each probe,
 * exa_tls_probe << 8 | exa_tls_shape. The maps of the TLS programs are keyed by the TLS object, so
 * the shape of the call is all that differs from library to library. */
#ifndef EXA_ABI_TLS_H
#define EXA_ABI_TLS_H

#include "exa/abi/types.h"

enum exa_tls_shape {
  EXA_TLS_SHAPE_SIZED = 1,   /* ssize f(object, buffer, size): what is returned was moved */
  EXA_TLS_SHAPE_POINTER = 2, /* int f(object, buffer, size, size_t* moved): 1 if it succeeded */
  EXA_TLS_SHAPE_GO = 3,      /* Go method (object) f(buffer, size, capacity) (moved, error) */
  EXA_TLS_SHAPE_INNER = 4,   /* as POINTER; 0 is the end of the stream, less a failure */
};

/* Bit 1 tells those at which plaintext is written from those at which it was read. */
enum exa_tls_probe {
  EXA_TLS_PROBE_HANDSHAKE = 1,
  EXA_TLS_PROBE_WRITE = 2,
  EXA_TLS_PROBE_READ = 3,
  EXA_TLS_PROBE_READ_RETURN = 4, /* where a read gives its result back */
  EXA_TLS_PROBE_FREE = 5,
  EXA_TLS_PROBE_BEGIN = 6, /* whatever the object was, it is a connection of its own from here on */
  /* Of exa_table_enter: a call of Go's HPACK. */
  EXA_TLS_PROBE_DECODER = 7,
  EXA_TLS_PROBE_ENCODER = 8,
};

/* Key of one connection of a TLS library. An address names an object only as long as that lives,
 * and where nothing tells its end, until the next connection begins on it. */
struct exa_tls_key {
  __u64 object; /* SSL*, gnutls_session_t, *tls.Conn; a goroutine */
  __u32 tgid;
  __u32 life; /* of the process: another one for the next owner of the number, and after exec */
};
EXA_ASSERT_SIZE(struct exa_tls_key, 16);

/* A file, in the kernel's own numbering of devices: major << 20 | minor. */
struct exa_tls_file {
  __u64 inode;
  __u32 device;
  __u32 reserved;
};
EXA_ASSERT_SIZE(struct exa_tls_file, 16);

/* Places of the maps of TLS connections, and of calls of goroutines: one process alone gets half.
 */
enum { EXA_TLS_ENTRIES = 131072 };

enum exa_tls_share {
  EXA_TLS_STREAMS = 0,
  EXA_TLS_GOROUTINES = 1,
};

/* Value of map exa_tls_held, key tgid, or EXA_TLS_ALL, which is nobody's. */
enum { EXA_TLS_ALL = 0 };
struct exa_tls_held {
  __u32 count[2]; /* by exa_tls_share */
};
EXA_ASSERT_SIZE(struct exa_tls_held, 8);

/* Socket ids of TLS streams have this bit set; socket cookies count up from one and never get
 * there. */
#define EXA_TLS_STREAM_ID (1ull << 63)

#endif
