/* HTTP/2 out of a TLS library. */
#ifndef EXA_BPF_LIB_FRAMES_OF_TLS_H
#define EXA_BPF_LIB_FRAMES_OF_TLS_H

#include "bpf/lib/process.bpf.h"
#include "bpf/lib/tls_records.bpf.h"
#include "bpf/lib/tls_stream.h"
#include "bpf/maps/counters.bpf.h"

enum exa_frames_counter {
  EXA_FRAMES_FURTHER = EXA_COUNTER_TLS_HITS_FURTHER,
  EXA_FRAMES_OVER_SHARE = EXA_COUNTER_TLS_DROPPED_OVER_SHARE,
  EXA_FRAMES_RING_FULL = EXA_COUNTER_TLS_DROPPED_RING_FULL,
  EXA_FRAMES_BODY = EXA_COUNTER_TLS_FILTERED_BODY,
  EXA_FRAMES_OUT_OF_STEP = EXA_COUNTER_TLS_FILTERED_OUT_OF_STEP,
  EXA_FRAMES_READ_FAULT = EXA_COUNTER_READ_FAULT,
};

/* A record of the stream is in the ring. The state is the stream's first part. */
static __always_inline void exa_tls_told(struct exa_socket_state* state,
                                         struct exa_counter_row* row) {
  const struct exa_tls_stream* stream = (const struct exa_tls_stream*)state;

  EXA_COUNT_SHARED(row, EMITTED_TLS_CHUNK);
  if (stream->socket.cookie)
    EXA_COUNT_SHARED(row, TLS_ADDRESS_KNOWN);
  else
    EXA_COUNT_SHARED(row, TLS_ADDRESS_UNKNOWN);
  __sync_fetch_and_or(&state->flags, EXA_SOCKET_ANNOUNCED);
}

#define EXA_FRAMES_COUNT(row, what) __sync_fetch_and_add(&(row)->value[EXA_FRAMES_##what], 1)
#define EXA_FRAMES_TOLD(state, row) exa_tls_told(state, row)
#include "bpf/lib/frames.bpf.h"

/* Plaintext of a stream that speaks HTTP/2. A library may still hold back what was written: an
 * answer ends when it was handed over. Returns whether the ring now knows how far this direction
 * has come. */
static __always_inline int exa_tls_look_at_frames(struct exa_tls_stream* stream,
                                                  struct exa_counter_row* row,
                                                  struct exa_scratch* scratch,
                                                  const struct exa_plain* plain) {
  struct exa_chunk_event* event;
  struct exa_source source = {};
  const struct exa_flow* flow;

  if (!stream || !row || !scratch || !plain) return 0;
  const int egress = plain->direction == EXA_EGRESS;
  event = &scratch->event;
  flow = &stream->state.flow[egress];
  if (stream->socket.cookie && !stream->told_addresses)
    exa_tls_announce(stream, row, plain->now, 0);
  if (egress) exa_tls_all_left(stream);
  event->header.ktime_ns = plain->now;
  event->position = flow->position;
  event->previous_last_byte_ns = flow->last_byte_ns;
  event->length_bytes = plain->length;
  event->direction = plain->direction;
  event->flags = EXA_CHUNK_TLS;
  if (exa_ports_are_proven(bpf_get_current_task_btf())) event->flags |= EXA_CHUNK_PORTS_PROVEN;
  event->tcp_sequence = stream->from_start ? EXA_TLS_FIRST_SEQUENCE + (__u32)flow->position : 0;
  event->other_moved = 0;
  event->arrival_ns = 0;
  if (!egress && stream->ingress_pending && !(stream->state.flags & EXA_SOCKET_CLIENT))
    event->arrival_ns = stream->arrival_ns;
  source.address = plain->buffer;
  return exa_look_at_frames(&stream->state, row, scratch, &source);
}

#endif
