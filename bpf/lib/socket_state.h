/* What is remembered of one TCP socket between calls. Pure: also compiled into the unit tests. */
#ifndef EXA_BPF_LIB_SOCKET_STATE_H
#define EXA_BPF_LIB_SOCKET_STATE_H

#include "exa/abi/event.h"
#include "exa/abi/facts.h"
#include "exa/abi/http2.h"
#include "exa/abi/types.h"

enum exa_socket_flags {
  EXA_SOCKET_ANNOUNCED = 1,  /* its SOCKET record is in the ring */
  EXA_SOCKET_RECOGNISED = 2, /* a start line of a known protocol was seen */
  EXA_SOCKET_CLIENT = 4,     /* the request line was seen on egress: arrival is no use */
  EXA_SOCKET_TLS = 8,
  EXA_SOCKET_IGNORED = 16,
  EXA_SOCKET_EXCLUDED_PORT = 32,
  EXA_SOCKET_EXCLUDED_PROCESS = 64,
  EXA_SOCKET_OF_KERNEL = 128,      /* no file descriptor: NFS, a block device over TCP ... */
  EXA_SOCKET_BATCHES = 256,        /* sendmmsg or recvmmsg were used on it */
  EXA_SOCKET_BATCHES_MIXED = 512,  /* by several threads at a time: their index is unknown */
  EXA_SOCKET_ENDED_INGRESS = 1024, /* the END record with this flag was asked for */
  EXA_SOCKET_ENDED_EGRESS = 2048,
  EXA_SOCKET_ENDED = 4096,
  EXA_SOCKET_END_PENDING = 8192,  /* closed: with bytes left to read, or with a call under way */
  EXA_SOCKET_FRAMES = 1 << 14,    /* speaks HTTP/2: walked along frame by frame */
  EXA_SOCKET_SWITCHED = 1 << 15,  /* a 101 was the last that came, and what is spoken now is open */
  EXA_SOCKET_SWITCHING = 1 << 16, /* within the head of a 101; run.word tells where */
  EXA_SOCKET_CONNECTED = 1 << 17, /* connect_ns is how long that took */
  EXA_SOCKET_COUNTED = 1 << 20,   /* as a connection that is not read, by its kind */

  EXA_SOCKET_FILTERED = EXA_SOCKET_TLS | EXA_SOCKET_IGNORED | EXA_SOCKET_EXCLUDED_PORT |
                        EXA_SOCKET_EXCLUDED_PROCESS | EXA_SOCKET_OF_KERNEL,
};

/* arrival_ns: when the first byte of the queue came. */
enum {
  EXA_ARRIVAL_NONE = 0,    /* the queue was empty: the next byte to come stamps it */
  EXA_ARRIVAL_UNKNOWN = 1, /* bytes were left in the queue: theirs is not known */
};

#define EXA_BUSY_UNKNOWN 0xffffffffu

/* One direction. The next position and TCP sequence number belong together: a call whose sequence
 * number is further on tells how many bytes passed unseen (splice, zero-copy receive). Before the
 * direction has started, next_sequence is where it stood at the first bytes of the other one. */
struct exa_flow {
  __u64 position;
  __u64 last_byte_ns;
  __u64 told_position; /* up to where the ring knows */
  __u32 next_sequence;
  __u32 other_sequence; /* where the other direction stood at the latest bytes of this one */
  __u8 started;         /* position counts from next_sequence */
  __u8 other_moved;     /* between the latest bytes and those before them */
  __u16 batch_index;    /* of the message that its next call moves */
  __u32 batch_thread;   /* thread inside sendmmsg or recvmmsg, 0 none */
};

/* Consecutive chunks of one direction. */
struct exa_run {
  __u8 direction_known; /* exa_direction + 1; 0 before the first chunk */
  __u8 word_earlier;    /* how many bytes of word came with earlier chunks */
  __u16 word_bytes;     /* how many were judged by the run's first bytes */
  __u32 budget_bytes;   /* left to capture in this run */
  __u16 unrecognised;   /* runs so far without a start line of a known protocol */
  __u16 since_ignored;
  __u16 single_bytes; /* length of the longest chunk of requests known to hold one head only */
  __u8 pipelined;     /* requests follow one another unanswered: a head can begin anywhere */
  __u8 request;       /* the chunk that was judged last begins with a request */
  __u64 word;         /* by which the last chunk was judged, until a protocol is recognised */
  __u64 last;         /* the last 8 bytes, the newest highest; 0 where they were not looked at */
};

/* Freed by the kernel with its socket. Written by the I/O programs, one a direction; arrival_ns
 * also by the data_ready program, flags also by the programs that see the end.
 *
 * The data_ready program runs on the CPU of whoever sends, the others on the receiver's. So what it
 * looks at, and what hardly changes, shares a cache line with the pointer that the kernel keeps
 * before the state; what each call writes begins the next one. */
struct exa_socket_state {
  __u64 arrival_ns;
  __u32 flags;        /* exa_socket_flags, changed atomically */
  __u32 tgid;         /* process of the last I/O, 0 before the first */
  __u32 generation;   /* of the process verdicts when tgid was judged */
  __u32 socket_error; /* kept for a pending end */
  __u64 cookie;       /* valid once announced */
  __u64 connect_ns;   /* when the first SYN left, until EXA_SOCKET_CONNECTED */
  /* The sum of the sequence numbers that its first bytes found: equal at both ends, and another for
   * the next connection of the same addresses. */
  __u32 connection_number;
  __u32 unused[3];

  struct exa_flow flow[2]; /* by exa_direction */
  struct exa_run run;
  __u32 busy_ticks; /* of sending, before what is sent now; EXA_BUSY_UNKNOWN */
  __u32 reserved;
  struct exa_http2_flow frames[2]; /* by exa_direction */
  /* Of the last call of the direction of answers, if that had no record; here and not on the stack,
   * which has no room for it. Without a size there is none to tell. */
  struct exa_last_call_event last_call;
};
EXA_ASSERT_SIZE(struct exa_socket_state, 328);

#endif
