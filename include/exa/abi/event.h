/* What the BPF programs write into the ring buffers: the one contract between kernel and agent.
 * Valid C11 and C++; fixed-width, every byte of padding named and zeroed by the writer.
 *
 * A record starts with exa_event_header; size_bytes is the record's whole length. Times are
 * CLOCK_MONOTONIC in nanoseconds. Positions count bytes of one direction of one socket since the
 * first byte that the agent saw there; a chunk covers [position, position + length_bytes).
 */
#ifndef EXA_ABI_EVENT_H
#define EXA_ABI_EVENT_H

#include "exa/abi/facts.h"
#include "exa/abi/http2.h"
#include "exa/abi/sleep.h"
#include "exa/abi/types.h"

enum exa_event_type {
  EXA_EVENT_SOCKET = 1,       /* addresses of a socket; precedes its first chunk */
  EXA_EVENT_CHUNK = 2,        /* bytes of one I/O call, captured in part, whole or not at all */
  EXA_EVENT_POSITION = 3,     /* sweep: how far both directions have come without events */
  EXA_EVENT_END = 4,          /* no more bytes in one direction, or in both */
  EXA_EVENT_PROCESS = 5,      /* a process does its first TCP I/O; precedes its first chunk */
  EXA_EVENT_PROCESS_EXIT = 6, /* the last thread of an announced process is gone */
  EXA_EVENT_EXEC = 7,         /* control ring only, header only: a process runs another program */
  EXA_EVENT_TLS_TRAFFIC = 8, /* control ring only, header only: a process opened a TLS connection */
  EXA_EVENT_FRAMES = 9,      /* a chunk of HTTP/2, of which the walk kept what tells of messages */
  EXA_EVENT_TABLE = 10,      /* a dynamic table of HPACK, as a process has it */
  EXA_EVENT_LAST_CALL = 11,  /* the facts of a direction's last call, which had no record */
  EXA_EVENT_LOOK = 12,       /* what a thread does at that time, as somebody asked */
  EXA_EVENT_RESEND = 13,     /* a server's answer did not arrive, and a part was sent again */
  EXA_EVENT_DELIVERED = 14,  /* a server's answer was acknowledged to its last byte, and late */
  EXA_EVENT_SLEEPS = 15,     /* what a thread slept on since the last such record */
};

enum exa_direction {
  EXA_INGRESS = 0, /* read by the process */
  EXA_EGRESS = 1,  /* written by the process */
};

/* Why captured_bytes is less than length_bytes. */
enum exa_gap_reason {
  EXA_GAP_NONE = 0,
  EXA_GAP_BUDGET = 1,     /* the capture budget of this run ended, or the rest is body */
  EXA_GAP_NO_BUFFER = 2,  /* sendfile, splice, io_uring, MSG_TRUNC: no user buffer in reach */
  EXA_GAP_READ_FAULT = 3, /* the user page was not resident */
  EXA_GAP_COMPAT = 4,     /* a 32-bit task: other syscall numbers and layouts */
  EXA_GAP_SEGMENTS = 5,   /* more iovec segments than are walked */
};

enum exa_end_flags {
  EXA_END_INGRESS = 1, /* the process read end-of-file, or all bytes of a peer that has closed */
  EXA_END_EGRESS = 2,  /* the process closed or shut down its writing side */
  EXA_END_FINAL = 4,   /* closed by the process, or in TCP_CLOSE: both directions are over */
  /* The last bytes of that direction were looked at, and no chunked body ends with them. */
  EXA_END_OPEN_INGRESS = 8,
  EXA_END_OPEN_EGRESS = 16,
  /* HTTP/2: frames of that direction went by since its last record that nobody saw. */
  EXA_END_MISSED_INGRESS = 32,
  EXA_END_MISSED_EGRESS = 64,
};

enum exa_chunk_flags {
  EXA_CHUNK_TLS = 1,  /* plaintext, told by a TLS library */
  EXA_CHUNK_ENDS = 2, /* its last bytes, captured or not, are those of a chunked body */
  /* Its socket may not be known, but all sockets of its process are on observed ports. */
  EXA_CHUNK_PORTS_PROVEN = 4,
  /* FRAMES: it begins with the head of a message, which the record before it has. */
  EXA_CHUNK_HEAD_TOLD = 8,
};

enum exa_process_flags {
  EXA_PROCESS_FORKED = 1, /* no program was executed since it was made: its memory is a copy */
};

enum {
  EXA_COMM_BYTES = 16,
  EXA_EXE_NAME_BYTES = 64,
  EXA_MAX_CAPTURE_BYTES = 4096, /* hard limit of one chunk's captured bytes */
};

struct exa_event_header {
  __u32 size_bytes;
  __u8 type;  /* exa_event_type */
  __u8 flags; /* exa_process_flags of PROCESS, else 0 */
  __u8 reserved[2];
  __u64 ktime_ns;
  __u64 socket_id; /* socket cookie, or id of a TLS stream (see tls.h); 0 for process events */
  __u32 tgid;      /* process that did the I/O; of POSITION and END: the last one that did any */
  __u32 cpu;
};
EXA_ASSERT_SIZE(struct exa_event_header, 32);

/* How far one direction has come. last_byte_ns is 0 while position is 0. */
struct exa_direction_state {
  __u64 position;
  __u64 last_byte_ns;
};
EXA_ASSERT_SIZE(struct exa_direction_state, 16);

struct exa_socket_event {
  struct exa_event_header header;
  __u8 local_address[16]; /* network order; IPv4 in the first 4 bytes */
  __u8 remote_address[16];
  __u16 local_port; /* host order */
  __u16 remote_port;
  __u16 family; /* AF_INET or AF_INET6 */
  __u16 reserved;
  __u32 connection_number; /* TLS from its start: tells apart connections of the same addresses and
                              is equal at both ends; else 0, and sequence numbers do */
  __u32 first_sequence; /* TLS: TCP sequence number of the first chunk if that had none, else 0 */
};
EXA_ASSERT_SIZE(struct exa_socket_event, 80);

struct exa_chunk_event {
  /* ktime_ns: when the call returned, or when TCP sent the last byte if that is known */
  struct exa_event_header header;
  __u64 position;                   /* of the chunk's first byte, in its direction */
  __u64 previous_last_byte_ns;      /* this direction's last byte before this chunk, 0 if none */
  struct exa_direction_state other; /* the other direction as this chunk found it */
  __u64 arrival_ns;     /* ingress of a server: first byte reached the queue; egress: first byte
                           left, if that was long before the call returned; else 0 */
  __u32 length_bytes;   /* true length of the chunk */
  __u32 captured_bytes; /* bytes that follow this struct: the first of the chunk */
  __u32 tcp_sequence;   /* sequence number of the chunk's first byte, equal at both ends */
  __u8 direction;       /* exa_direction */
  __u8 gap_reason;      /* exa_gap_reason */
  __u8 flags;           /* exa_chunk_flags */
  __u8 other_moved;     /* since the chunk before this one in its direction, for certain */
  struct exa_call_facts facts;
  /* captured_bytes of payload, then zeroes up to a multiple of 8 */
};
EXA_ASSERT_SIZE(struct exa_chunk_event, 160);

/* FRAMES. Some of a call's bytes; several of these cover a call, in order. */
struct exa_frames_event {
  struct exa_chunk_event chunk; /* captured_bytes: those kept, which follow as in a chunk */
  __u64 goroutine;              /* that made the call, if it is Go's; else any number */
  struct exa_http2_flow before; /* where the direction stood at the first byte */
};
EXA_ASSERT_SIZE(struct exa_frames_event, 184);

/* The dynamic table of RFC 7541 section 2.3.2 that an encoder or a decoder of Go's has when it is
 * called. Texts follow, of each entry its name and then its value, without a break. */
enum { EXA_TABLE_ENTRIES = 128, EXA_TABLE_TEXT_BYTES = 4096 };
struct exa_table_entry {
  __u16 name_bytes;
  __u16 value_bytes;
};
struct exa_table_event {
  struct exa_event_header header; /* socket_id 0 */
  __u64 object;                   /* the encoder's or decoder's address */
  __u64 goroutine;                /* that called it */
  __u32 text_bytes;
  __u16 entries; /* that are told: the newest ones, the newest first */
  __u8 encoder;
  __u8 reserved;
  struct exa_table_entry entry[EXA_TABLE_ENTRIES];
};
EXA_ASSERT_SIZE(struct exa_table_event, 568);

/* Precedes what tells how far that direction has come. */
struct exa_last_call_event {
  struct exa_event_header header;
  __u64 last_byte_ns; /* of the direction: when the call moved it */
  __u32 direction;    /* exa_direction */
  __u32 cpu;          /* that the call was made on */
  struct exa_call_facts facts;
};
EXA_ASSERT_SIZE(struct exa_last_call_event, 120);

struct exa_look_event {
  struct exa_event_header header; /* socket_id and tgid 0 */
  __u32 thread;                   /* its number */
  __u32 doing;                    /* exa_thread_doing */
};
EXA_ASSERT_SIZE(struct exa_look_event, 40);

/* RESEND and DELIVERED. */
struct exa_answer_event {
  struct exa_event_header header;
  __u64 last_byte_ns; /* of the direction, as it stood then */
};
EXA_ASSERT_SIZE(struct exa_answer_event, 40);

/* Precedes the record of the call that it was told at. ktime_ns: when the last of the sleeps was
 * over. */
struct exa_sleeps_event {
  struct exa_event_header header; /* socket_id and tgid 0 */
  __u64 from_ns;                  /* when that was told last, or there was nothing to tell */
  __u32 thread;                   /* its number */
  __u32 reserved;
  __u32 asleep_us[EXA_SLEEP_CAUSES]; /* from EXA_DOING_LOCK on */
};
EXA_ASSERT_SIZE(struct exa_sleeps_event, 80);

struct exa_position_event {
  struct exa_event_header header;
  struct exa_direction_state direction[2]; /* by exa_direction */
};
EXA_ASSERT_SIZE(struct exa_position_event, 64);

struct exa_end_event {
  struct exa_event_header header;
  struct exa_direction_state direction[2];
  __u32 flags;        /* exa_end_flags */
  __u32 socket_error; /* errno of the socket (ECONNRESET, ETIMEDOUT ...), 0 if orderly */
};
EXA_ASSERT_SIZE(struct exa_end_event, 72);

struct exa_process_event {
  struct exa_event_header header;
  __u64 start_time_ns; /* start_boottime of the thread group leader: with tgid the identity */
  __u64 cgroup_id;
  __u32 parent_tgid;
  __u32 uid;
  __u8 comm[EXA_COMM_BYTES];
  __u8 exe_name[EXA_EXE_NAME_BYTES]; /* last component of the executable's path */
};
EXA_ASSERT_SIZE(struct exa_process_event, 136);

#endif
