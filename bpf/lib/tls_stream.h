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
  EXA_TLS_SEQUENCE = 2, /* twice what only this object can have written or will read */
};

enum { EXA_TLS_SEQUENCE_PROOFS = 2, EXA_TLS_RECORDS_WALKED = 4 };
enum {
  EXA_TLS_RECORD_BYTES = 16384,  /* the most that a record carries */
  EXA_TLS_RECORD_HEAD_BYTES = 5, /* type, version, length */
  EXA_TLS_LEAST_OVERHEAD = 21,   /* the least that it adds: its head, and the tag of ChaCha20 */
  EXA_TLS_WALK_BYTES = 128,
};

/* The last write, which tells a repeated one from a new one. */
struct exa_tls_write {
  __u64 buffer;
  __u32 size_bytes;
  __u8 blocked; /* the socket refused bytes inside this write: it will be tried again */
  __u8 proven;  /* a record that carries it was seen */
  __u8 reserved[2];
  __u64 sent_bytes; /* ciphertext that has left since it began */
  __u32 new_bytes;  /* of them, the last */
  __u32 reserved_too;
};

/* Addresses of the socket under the stream, zero while unknown. */
struct exa_tls_socket {
  __u64 cookie;
  __u8 local_address[16];
  __u8 remote_address[16];
  __u16 local_port;
  __u16 remote_port;
  __u16 family;
  __u16 provenance; /* exa_tls_provenance */
  __u32 connection_number;
  __u32 connect_us; /* exa_socket_facts */
};

/* Plaintext that passed through a stream. */
struct exa_plain {
  __u64 buffer;
  __u64 now;
  __u32 length;
  __u32 direction;
};

/* The plaintext side has the same state as a plain socket; its cookie is the stream's own id. */
struct exa_tls_stream {
  struct exa_socket_state state;
  struct exa_tls_socket socket;
  struct exa_tls_write write;
  struct exa_plain moved[2]; /* by exa_direction: by the call that is being looked at */
  __u64 arrival_ns;          /* of the ciphertext read since the last plaintext, 0 unknown */
  __u64 candidate_cookie;    /* socket that a sequence pointed to */
  __u64 linked_cookie;       /* socket whose link leads here */
  __u64 unsent_bytes; /* of an answer: written, but not yet in the socket, nor in its position */
  __u32 candidate_proofs;
  __u32 ingress_sequence; /* TCP sequence number of that ciphertext's first byte */
  __u32 ingress_pending;  /* ciphertext was read since the last plaintext */
  __u32 egress_sequence;  /* of the next byte the socket sends */
  __u32 egress_known;
  __u32 told_addresses; /* the ring has them */
  __u32 judged_socket;  /* ports were looked at */
  __u32 from_handshake; /* the library was asked to shake hands: no write drives that */
  __u32 from_start;     /* position 0 is the first byte there ever was */
  __u32 tells_leaving;  /* its socket is proven and linked, and so tells what leaves */
};
EXA_ASSERT_SIZE(struct exa_tls_stream, 536);

/* What is kept of a stream that was freed while its socket lived. */
struct exa_tls_remnant {
  struct exa_flow flow[2];
};

/* A call of the library that a thread, or a goroutine, is in. A write has no probe where it
 * returns: it is over once the return address is gone from the stack where the call had put it. */
struct exa_tls_call {
  __u64 object;
  __u64 buffer;
  __u64 moved_address;  /* EXA_TLS_SHAPE_POINTER: where the library says how much it moved */
  __u64 frame;          /* stack pointer at entry, see exa_tls_frame */
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
  __u32 received_bytes; /* length of that record */
  __u32 received_mixed;
  struct exa_tls_socket received;
  /* What a socket's first bytes may follow: the one object that was called since any socket sent,
   * of those that have not read anything yet. */
  __u64 opening_object;
  __u32 opening_mixed;
  __u32 reserved_too;
};
EXA_ASSERT_SIZE(struct exa_tls_call, 144);

enum exa_tls_kind {
  EXA_TLS_IDLE = 0,
  EXA_TLS_READING = 1,
  EXA_TLS_WRITING = 2,
  EXA_TLS_SHAKING = 3,
};

/* A stream that is known from its start counts its own bytes, as its other end does: these numbers
 * stand in for TCP sequence numbers, above those that mean "unknown". */
enum { EXA_TLS_FIRST_SEQUENCE = 1 << 16 };

/* Ciphertext left. sent_bytes and what it carries of an answer that was written before count; what
 * comes behind (an alert, a ticket) is no answer. Records are known to add at least so much, and an
 * answer is never held back for what they may add above that. */
static __always_inline void exa_tls_left(struct exa_tls_stream* stream, __u64 now, __u32 bytes) {
  struct exa_tls_write* last = &stream->write;
  struct exa_flow* flow = &stream->state.flow[EXA_EGRESS];
  const __u64 records = ((__u64)last->size_bytes + EXA_TLS_RECORD_BYTES - 1) / EXA_TLS_RECORD_BYTES;
  const __u64 due = last->size_bytes + records * EXA_TLS_LEAST_OVERHEAD;
  const __u64 left = bytes < stream->unsent_bytes ? bytes : stream->unsent_bytes;

  if (flow->started && (left || last->sent_bytes < due)) flow->last_byte_ns = now;
  if (left) { /* else the next write may be counted at the same time */
    flow->position += left;
    stream->unsent_bytes -= left;
  }
  last->sent_bytes += bytes;
}

/* Whatever was written is on its way: the library is done with it. */
static __always_inline void exa_tls_all_left(struct exa_tls_stream* stream) {
  if (!stream->unsent_bytes) return;
  stream->state.flow[EXA_EGRESS].position += stream->unsent_bytes;
  stream->unsent_bytes = 0;
}

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
  /* A partial write: whole records have left, and the rest comes again wherever it lies by now. */
  const __u64 whole =
      last->sent_bytes / (EXA_TLS_RECORD_BYTES + EXA_TLS_LEAST_OVERHEAD) * EXA_TLS_RECORD_BYTES;
  if (stream->socket.provenance == EXA_TLS_NESTED && whole && last->sent_bytes < last->size_bytes &&
      size_bytes + whole == last->size_bytes)
    return 0;
  /* Where its socket is not known: the rest begins whole records later, and ends alike. */
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

/* Of the records that begin in a chunk's first bytes the last: its length, 0 if it carries no
 * application data. The last word of a handshake often comes with the first request. */
static __always_inline __u32 exa_tls_last_record_bytes(const __u8* bytes, __u32 size) {
  __u32 at = 0, last = 0;
  for (int i = 0; i < EXA_TLS_RECORDS_WALKED; ++i) {
    if (at > EXA_TLS_WALK_BYTES - EXA_TLS_RECORD_HEAD_BYTES ||
        at + EXA_TLS_RECORD_HEAD_BYTES > size)
      break;
    const __u8* head = bytes + at;
    if (head[0] < 0x14 || head[0] > 0x17 || head[1] != 3) break;
    const __u32 length = (__u32)head[3] << 8 | head[4];
    last = head[0] == 0x17 ? length : 0;
    at += EXA_TLS_RECORD_HEAD_BYTES + length;
  }
  return last;
}

/* Does a record of that length carry exactly so many bytes of plaintext? By the overheads of
 * TLS 1.3 (17), of AES-GCM and AES-CCM in TLS 1.2 (24), and of ChaCha20 in TLS 1.2 (16). */
static __always_inline int exa_tls_carries(__u32 record_bytes, __u32 plain_bytes) {
  if (!plain_bytes || record_bytes <= plain_bytes) return 0;
  const __u32 overhead = record_bytes - plain_bytes;
  return overhead == 17 || overhead == 24 || overhead == 16;
}

/* One record beside one write or read, or a socket's first bytes beside a connection's first call,
 * speaks for this pair of stream and socket. Once a stream was
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
