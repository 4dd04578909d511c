/* HTTP/2 on a plain socket. */
#ifndef EXA_BPF_LIB_FRAMES_OF_SOCKET_H
#define EXA_BPF_LIB_FRAMES_OF_SOCKET_H

#include "bpf/maps/counters.bpf.h"

enum exa_frames_counter {
  EXA_FRAMES_FURTHER = EXA_COUNTER_HITS_FURTHER,
  EXA_FRAMES_OVER_SHARE = EXA_COUNTER_DROPPED_CHUNK_OVER_SHARE,
  EXA_FRAMES_RING_FULL = EXA_COUNTER_DROPPED_CHUNK_RING_FULL,
  EXA_FRAMES_BODY = EXA_COUNTER_FILTERED_BODY,
  EXA_FRAMES_OUT_OF_STEP = EXA_COUNTER_FILTERED_OUT_OF_STEP,
  EXA_FRAMES_READ_FAULT = EXA_COUNTER_READ_FAULT,
};
#define EXA_FRAMES_COUNT(row, what) ((row)->value[EXA_FRAMES_##what] += 1)
#define EXA_FRAMES_TOLD(state, row) EXA_COUNT(row, EMITTED_CHUNK)
#include "bpf/lib/frames.bpf.h"

/* exa_look_at_frames(), of a socket that the ring may not know yet. */
static __always_inline int exa_look_at_frames_of(struct sock* sk, struct exa_socket_state* state,
                                                 struct exa_counter_row* row,
                                                 struct exa_scratch* scratch,
                                                 struct exa_source* source) {
  if (!(state->flags & EXA_SOCKET_ANNOUNCED) &&
      !exa_announce_socket(sk, state, row, scratch->event.header.ktime_ns)) {
    exa_http2_lose(&state->frames[scratch->event.direction == EXA_EGRESS]);
    EXA_COUNT(row, DROPPED_CHUNK_RING_FULL);
    return 0;
  }
  return exa_look_at_frames(state, row, scratch, source);
}

#endif
