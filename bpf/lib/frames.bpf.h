/* A chunk of HTTP/2, of a plain socket or out of a TLS library: the walk along its frames, and
 * their records. Included through frames_of_socket.bpf.h or frames_of_tls.bpf.h. */
#ifndef EXA_BPF_LIB_FRAMES_H
#define EXA_BPF_LIB_FRAMES_H

#include "bpf/lib/capture_config.bpf.h"
#include "bpf/lib/goroutine.bpf.h"
#include "bpf/lib/records.bpf.h"
#include "bpf/lib/ring_room.bpf.h"
#include "bpf/lib/scratch.bpf.h"
#include "bpf/lib/sniff/http2.h"
#include "bpf/lib/user_copy.bpf.h"
#include "bpf/lib/verified_once.h"

/* What becomes of a call is counted by whoever saw it, each in its own rows. */
#ifndef EXA_FRAMES_COUNT
#error "EXA_FRAMES_COUNT(row, FURTHER | OVER_SHARE | RING_FULL | BODY | OUT_OF_STEP | READ_FAULT)"
#error "EXA_FRAMES_TOLD(state, row): the ring has a record"
#endif

struct exa_frame_steps {
  struct exa_scratch* scratch;
  struct exa_socket_state* state;
  struct exa_counter_row* row;
};

/* Writes the record that the walk has made, and begins the next one. Returns whether the ring has
 * it; if not, the next record says that frames are missing. */
EXA_VERIFIED_ONCE int exa_emit_frames(struct exa_socket_state* state, struct exa_counter_row* row,
                                      struct exa_scratch* scratch) {
  struct exa_frame_walk* walk;
  struct exa_chunk_event* event;
  const struct exa_flow* other;
  __u32 kept, size;
  int room, told = 0;

  if (!state || !row || !scratch) return 0;
  walk = &scratch->walk;
  event = &scratch->event;
  other = &state->flow[event->direction != EXA_EGRESS];
  kept = walk->kept;
  barrier_var(kept);
  if (kept > EXA_MAX_CAPTURE_BYTES) kept = EXA_MAX_CAPTURE_BYTES;
  *(__u64*)(scratch->payload + EXA_FRAMES_LEAD + kept) = 0;
  size = sizeof(struct exa_frames_event) + ((kept + 7) & ~7u);
  room = exa_ring_room(bpf_get_current_task_btf(), size);
  if (room & EXA_ROOM_REFUSED) {
    EXA_FRAMES_COUNT(row, OVER_SHARE);
    goto lost;
  }
  exa_fill_header(&event->header, EXA_EVENT_FRAMES, size, event->header.ktime_ns, state->cookie,
                  state->tgid);
  event->length_bytes = walk->record_bytes;
  event->captured_bytes = kept;
  event->gap_reason = EXA_GAP_NONE;
  event->other.position = other->position;
  event->other.last_byte_ns = other->last_byte_ns;
  *(__u64*)scratch->payload =
      exa_goroutine((const struct pt_regs*)bpf_task_pt_regs(bpf_get_current_task_btf()));
  *(struct exa_http2_flow*)(scratch->payload + sizeof(__u64)) = walk->before;
  if (exa_events_output(event, size,
                        room & EXA_ROOM_WAKE ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP)) {
    EXA_FRAMES_COUNT(row, RING_FULL);
    goto lost;
  }
  EXA_FRAMES_TOLD(state, row);
  told = 1;
  goto next;
lost:
  walk->flow.flags |= EXA_HTTP2_MISSED;
next:
  event->position += walk->record_bytes;
  if (event->tcp_sequence) event->tcp_sequence += walk->record_bytes; /* 0: not known */
  event->previous_last_byte_ns = event->header.ktime_ns;
  event->arrival_ns = 0;
  exa_frame_begin_record(walk);
  return told;
}

static long exa_frame_steps(__u32 step, struct exa_frame_steps* steps) {
  switch (exa_frame_step(&steps->scratch->walk, steps->scratch->payload + EXA_FRAMES_LEAD)) {
    case EXA_FRAME_ON:
      return 0;
    case EXA_FRAME_FULL:
      EXA_FRAMES_COUNT(steps->row, FURTHER);
      exa_emit_frames(steps->state, steps->row, steps->scratch);
      return 0;
    case EXA_FRAME_DONE:
      break;
  }
  return 1;
}

enum exa_beginning {
  EXA_BEGINS_OTHERWISE,
  EXA_BEGINS_WITH_FRAMES,
  EXA_BEGINS_WITH_HEADER, /* which is all of the chunk: Go's servers read each by itself */
};

/* Does the chunk begin with a frame, whatever was before? By its header, and by what follows it: a
 * second one, or nothing. */
EXA_VERIFIED_ONCE int exa_begins_with_frames(struct exa_source* source, struct exa_scratch* scratch,
                                             __u32 length) {
  __u32 copied, next = 0, frames;

  if (!source || !scratch || length < EXA_HTTP2_HEADER_BYTES) return 0;
  copied = exa_copy(source, scratch, length);
  source->gap = EXA_GAP_NONE; /* that not all was copied is no matter of whoever walks */
  if (copied < EXA_HTTP2_HEADER_BYTES) return 0;
  for (frames = 0; frames < 2; ++frames) {
    const __u8* header = scratch->payload + next;
    if (!exa_http2_plausible(header)) return 0;
    next += EXA_HTTP2_HEADER_BYTES + exa_http2_length(header);
    if (next == length) return EXA_BEGINS_WITH_FRAMES;
    barrier_var(next);
    if (next > EXA_MAX_CAPTURE_BYTES || next + EXA_HTTP2_HEADER_BYTES > copied)
      return EXA_BEGINS_WITH_HEADER * (length == EXA_HTTP2_HEADER_BYTES);
  }
  return EXA_BEGINS_WITH_FRAMES;
}

/* Is a socket of HTTP/2 of which nothing is known but that? Of a header alone it is told by a
 * client's next stream, as one that is read in two calls would be missed. */
EXA_VERIFIED_ONCE int exa_shows_frames(struct exa_source* source, struct exa_scratch* scratch,
                                       __u32 length) {
  if (!source || !scratch) return 0;
  const int begins = exa_begins_with_frames(source, scratch, length);
  const __u8* header = scratch->payload;
  return begins == EXA_BEGINS_WITH_FRAMES ||
         (begins == EXA_BEGINS_WITH_HEADER && header[3] == EXA_HTTP2_HEADERS && header[8] & 1);
}

/* Bytes that went by between calls; or the calls of two threads changed places. */
static __always_inline void exa_frames_catch_up(struct exa_http2_flow* frames,
                                                const struct exa_flow* flow, __u64 position) {
  if (!flow->started || position == flow->position) return;
  if (position < flow->position)
    exa_http2_lose(frames);
  else
    exa_http2_pass(frames, position - flow->position);
}

/* Returns whether the ring now knows how far this direction has come. */
EXA_VERIFIED_ONCE int exa_look_at_frames(struct exa_socket_state* state,
                                         struct exa_counter_row* row, struct exa_scratch* scratch,
                                         struct exa_source* source) {
  struct exa_frame_walk* walk;
  struct exa_chunk_event* event;
  struct exa_http2_flow* frames;
  struct exa_frame_steps steps = {};
  const struct exa_flow* flow;
  int ends;

  if (!state || !row || !scratch || !source) return 0;
  event = &scratch->event;
  const int egress = event->direction == EXA_EGRESS;
  frames = &state->frames[egress];
  flow = &state->flow[egress];
  walk = &scratch->walk;
  const __u32 length = event->length_bytes;

  exa_frames_catch_up(frames, flow, event->position);
  if (!(frames->flags & EXA_HTTP2_IN_STEP)) {
    if (source->gap != EXA_GAP_NONE || !exa_begins_with_frames(source, scratch, length)) {
      frames->flags |= EXA_HTTP2_MISSED;
      EXA_FRAMES_COUNT(row, OUT_OF_STEP);
      return 0;
    }
    frames->flags = EXA_HTTP2_IN_STEP | EXA_HTTP2_MISSED;
  }
  walk->flow = *frames;
  exa_frame_begin_record(walk);
  walk->fault = 0;
  if (source->gap != EXA_GAP_NONE) {
    ends = exa_http2_pass(&walk->flow, length);
    walk->record_bytes = length;
    walk->worth = ends;
  } else {
    walk->call_left = length;
    walk->address = source->address;
    walk->segment_left = source->segments ? 0 : length;
    walk->vector = source->address;
    walk->segments_left = source->segments;
    steps.scratch = scratch;
    steps.state = state;
    steps.row = row;
    bpf_loop(EXA_FRAME_STEPS, exa_frame_steps, &steps, 0);
    if (walk->fault) EXA_FRAMES_COUNT(row, READ_FAULT);
    if (walk->call_left && (walk->flow.flags & EXA_HTTP2_IN_STEP)) exa_http2_lose(&walk->flow);
  }
  int told = 0;
  /* That the place is found again is told at once: what was open before is in doubt, and what
   * begins from here on is not. */
  if ((walk->flow.flags & EXA_HTTP2_IN_STEP) && (walk->before.flags & EXA_HTTP2_MISSED) &&
      walk->record_bytes)
    walk->worth = 1;
  if (walk->worth)
    told = exa_emit_frames(state, row, scratch);
  else if (walk->flow.flags & EXA_HTTP2_IN_STEP)
    EXA_FRAMES_COUNT(row, BODY);
  else
    EXA_FRAMES_COUNT(row, OUT_OF_STEP);
  /* Nothing was told of them: that frames are missing is still to be said. */
  if (!told) walk->flow.flags |= walk->before.flags & EXA_HTTP2_MISSED;
  *frames = walk->flow;
  return told && (walk->flow.flags & EXA_HTTP2_IN_STEP);
}

/* From here on the socket is walked along. The other direction begins where nothing of it was seen
 * yet, and owes the preface if this one is the server's; but not if another thread is just
 * beginning with it. */
static __always_inline void exa_frames_begin(struct exa_socket_state* state, int direction,
                                             __u32 preface_left) {
  struct exa_http2_flow* own = &state->frames[direction];
  struct exa_http2_flow* other = &state->frames[!direction];

  own->flags = EXA_HTTP2_IN_STEP;
  own->preface_left = preface_left;
  if (!other->flags) {
    if (state->flow[!direction].started)
      other->flags = EXA_HTTP2_MISSED;
    else
      *other = exa_http2_start(!preface_left);
  }
  __sync_fetch_and_or(&state->flags, EXA_SOCKET_FRAMES | EXA_SOCKET_RECOGNISED);
}

/* Too many runs in which no frame was found. */
static __always_inline int exa_frames_give_up(struct exa_socket_state* state, int direction,
                                              int turned) {
  if (state->frames[direction].flags & EXA_HTTP2_IN_STEP) {
    state->run.unrecognised = 0;
    return 0;
  }
  if (!turned || ++state->run.unrecognised < exa_config.ignore_after_runs) return 0;
  __sync_fetch_and_and(&state->flags, ~(__u32)(EXA_SOCKET_FRAMES | EXA_SOCKET_RECOGNISED));
  state->frames[EXA_INGRESS] = state->frames[EXA_EGRESS] = (struct exa_http2_flow){};
  return 1;
}

/* The connection is older than the agent, or was given up. */
static __always_inline void exa_frames_join(struct exa_socket_state* state, int direction) {
  state->frames[direction].flags = EXA_HTTP2_IN_STEP | EXA_HTTP2_MISSED;
  if (!state->frames[!direction].flags) state->frames[!direction].flags = EXA_HTTP2_MISSED;
  __sync_fetch_and_or(&state->flags, EXA_SOCKET_FRAMES | EXA_SOCKET_RECOGNISED);
}

#endif
