/* What is remembered of one TLS connection, and what its next write means. Pure: also compiled into
 * the unit tests. */
#ifndef EXA_BPF_LIB_TLS_STREAM_H
#define EXA_BPF_LIB_TLS_STREAM_H

#include "bpf/lib/socket_state.h"
#include "exa/abi/event.h"
#include "exa/abi/tls.h"
#include "exa/abi/types.h"

/* How the socket under a stream became known. Unknown stays unknown until there is proof. */
enum exa_tls_provenance {
  EXA_TLS_UNKNOWN = 0,
  EXA_TLS_NESTED = 1,   /* a socket call inside a call of the library */
  EXA_TLS_SEQUENCE = 2, /* twice a record of exactly the written length right behind a write */
};

enum { EXA_TLS_SEQUENCE_PROOFS = 2, EXA_TLS_RECORD_BYTES = 16384 };

/* The last write, which tells a repeated one from a new one. */
struct exa_tls_write {
  __u64 buffer;
  __u32 size_bytes;
  __u8 blocked; /* the socket refused bytes inside this write: it will be tried again */
  __u8 proven;  /* a record that carries it was seen */
  __u8 reserved[2];
};

/* Addresses of the socket under the stream, zero while unknown. */
struct exa_tls_socket {
  __u64 cookie;
  __u8 local_address[16];
  __u8 remote_address[16];
  __u16 local_port;
  __u16 remote_port;
  __u16 family;
  __u16 reserved;
  __u32 netns_inode;
  __u32 provenance; /* exa_tls_provenance */
};

/* The plaintext side has the same state as a plain socket; its cookie is the stream's own id. */
struct exa_tls_stream {
  struct exa_socket_state state;
  struct exa_tls_socket socket;
  struct exa_tls_write write;
  __u64 arrival_ns;       /* of the ciphertext read since the last plaintext, 0 unknown */
  __u64 candidate_cookie; /* socket that a sequence pointed to */
  __u32 candidate_proofs;
  __u32 ingress_sequence; /* TCP sequence number of that ciphertext's first byte */
  __u32 ingress_pending;  /* ciphertext was read since the last plaintext */
  __u32 egress_sequence;  /* of the next byte the socket sends */
  __u32 egress_known;
  __u32 told_addresses; /* the ring has them */
  __u32 judged_socket;  /* ports were looked at */
  __u32 from_handshake; /* position 0 is the first byte there ever was */
};
EXA_ASSERT_SIZE(struct exa_tls_stream, 264);

/* A call of the library that a thread, or a goroutine, is in. A write has no probe where it
 * returns: it is over once the return address is gone from the stack where the call had put it. */
struct exa_tls_call {
  __u64 object;
  __u64 buffer;
  __u64 moved_address;  /* EXA_TLS_SHAPE_POINTER: where the library says how much it moved */
  __u64 frame;          /* stack pointer at entry */
  __u64 return_address; /* what lay there */
  __u32 size_bytes;
  __u8 kind; /* exa_tls_kind */
  __u8 shape;
  __u8 reserved[2];
  /* What a record on some socket may follow: the last write, if only one object wrote since a
   * socket did. What a read may follow: the record last received, if only one socket received
   * since. */
  __u64 written_object;
  __u32 written_bytes;
  __u32 written_mixed;
  __u64 received_cookie;
  __u32 received_bytes; /* length of that record */
  __u32 received_mixed;
};
EXA_ASSERT_SIZE(struct exa_tls_call, 80);

enum exa_tls_kind {
  EXA_TLS_IDLE = 0,
  EXA_TLS_READING = 1,
  EXA_TLS_WRITING = 2,
  EXA_TLS_SHAKING = 3,
};

/* A stream that is known from its handshake counts its own bytes, as its other end does: these
 * numbers stand in for TCP sequence numbers, above those that mean "unknown". */
enum { EXA_TLS_FIRST_SEQUENCE = 1 << 16 };

/* How many of size_bytes at buffer are new; the new ones are the last. A library that could not
 * write, or only a part, is called again with what is left, and those bytes were counted. */
static __always_inline __u32 exa_tls_new_bytes(const struct exa_tls_stream* stream, __u64 buffer,
                                               __u32 size_bytes) {
  const struct exa_tls_write* last = &stream->write;
  if (!last->size_bytes) return size_bytes;
  if (last->blocked && buffer == last->buffer)
    return size_bytes > last->size_bytes ? size_bytes - last->size_bytes : 0;
  /* The first write of all, again and again while the library shakes hands; from a copy of it. */
  if (size_bytes == last->size_bytes && !last->proven && !stream->from_handshake &&
      stream->state.flow[EXA_INGRESS].position == 0 &&
      stream->state.flow[EXA_EGRESS].position == last->size_bytes)
    return 0;
  /* Partial writes stop at a whole record: the rest begins that much later, and ends alike. */
  if (size_bytes < last->size_bytes && buffer + size_bytes == last->buffer + last->size_bytes &&
      (last->size_bytes - size_bytes) % EXA_TLS_RECORD_BYTES == 0)
    return 0;
  return size_bytes;
}

/* Length of the TLS application data record that begins with these 8 bytes, 0 if none does. */
static __always_inline __u32 exa_tls_record_bytes(__u64 word) {
  if ((word & 0xffff) != 0x0317) return 0;
  return (__u32)((word >> 24 & 0xff) << 8 | (word >> 32 & 0xff));
}

/* Does a record of that length carry exactly so many bytes of plaintext? By the overheads of
 * TLS 1.3 (17), of AES-GCM and AES-CCM in TLS 1.2 (24), and of ChaCha20 in TLS 1.2 (16). */
static __always_inline int exa_tls_carries(__u32 record_bytes, __u32 plain_bytes) {
  if (!plain_bytes || record_bytes <= plain_bytes) return 0;
  const __u32 overhead = record_bytes - plain_bytes;
  return overhead == 17 || overhead == 24 || overhead == 16;
}

/* One record beside one write or read speaks for this pair of stream and socket. Once a stream was
 * seen beside two sockets nothing is learned for it in this way any more. */
static __always_inline int exa_tls_weigh(struct exa_tls_stream* stream, __u64 cookie) {
  if (!stream->candidate_cookie) stream->candidate_cookie = cookie;
  if (stream->candidate_cookie != cookie) {
    stream->candidate_cookie = ~0ull;
    stream->candidate_proofs = 0;
    return 0;
  }
  stream->candidate_proofs += 1;
  return stream->candidate_proofs >= EXA_TLS_SEQUENCE_PROOFS;
}

#endif
