/* Where a program puts a record together, and what it needs meanwhile: too large for its stack. */
#ifndef EXA_BPF_LIB_SCRATCH_H
#define EXA_BPF_LIB_SCRATCH_H

#include "bpf/lib/frames_read.bpf.h"
#include "exa/abi/event.h"

enum { EXA_MAX_SEGMENTS = 16 };

/* Ciphertext that a socket call moved. */
struct exa_ciphertext {
  __u64 arrival_ns;
  __u64 now;
  __u32 length;
  __u32 sequence;
  __u32 direction;
  __u32 first_record; /* length of the application record it begins with, 0 unknown */
  __u32 last_record;  /* of the last that its first bytes show */
  __u32 reserved;
};

/* The payload has room for twice the limit, so that the verifier can see that any offset below the
 * limit plus any length up to it stays inside. */
enum { EXA_FRAMES_LEAD = sizeof(struct exa_frames_event) - sizeof(struct exa_chunk_event) };
struct exa_scratch {
  struct exa_chunk_event event;
  __u8 payload[EXA_FRAMES_LEAD + 2 * EXA_MAX_CAPTURE_BYTES];
  struct exa_frame_walk walk;
  struct exa_segment segment[EXA_MAX_SEGMENTS];
  struct exa_ciphertext ciphertext; /* here, as all that are called share one stack of 512 bytes */
};

#endif
