/* A chunk of a plain socket: whether it is worth a record, and the record. */
#ifndef EXA_BPF_LIB_CHUNK_H
#define EXA_BPF_LIB_CHUNK_H

#include "bpf/lib/connection_kinds.bpf.h"
#include "bpf/lib/decision.h"
#include "bpf/lib/frames_of_socket.bpf.h"
#include "bpf/lib/head_search.bpf.h"
#include "bpf/lib/last_bytes.bpf.h"
#include "bpf/lib/process.bpf.h"
#include "bpf/lib/records.bpf.h"
#include "bpf/lib/ring_room.bpf.h"
#include "bpf/lib/tls_ciphertext.bpf.h"
#include "bpf/lib/upgrade.bpf.h"
#include "bpf/lib/user_buffer.bpf.h"
#include "bpf/lib/verified_once.h"

/* Where the head that begins the first bytes of a chunk ends: an exa_head_scan. */
EXA_VERIFIED_ONCE int exa_first_head(struct exa_scratch* scratch, __u32 bytes) {
  if (!scratch) return EXA_HEAD_OPEN;
  return exa_search_head_end(scratch->payload, bytes);
}

static __always_inline int exa_emit_chunk(struct sock* sk, struct task_struct* task,
                                          struct exa_socket_state* state,
                                          struct exa_counter_row* row, struct exa_scratch* scratch,
                                          int direction, __u32 captured) {
  struct exa_chunk_event* event = &scratch->event;
  const struct exa_flow* other = &state->flow[!direction];
  __u32 size;
  int room;

  /* From memory it is any number to the verifier, whichever way it came. */
  event->captured_bytes = captured;
  captured = *(volatile __u32*)&event->captured_bytes;
  if (captured > EXA_MAX_CAPTURE_BYTES) captured = EXA_MAX_CAPTURE_BYTES;
  *(__u64*)(scratch->payload + captured) = 0;
  size = sizeof(*event) + ((captured + 7) & ~7u);
  room = exa_ring_room(task, size);
  if (room & EXA_ROOM_REFUSED) {
    EXA_COUNT(row, DROPPED_CHUNK_OVER_SHARE);
    return 0;
  }
  if (!(state->flags & EXA_SOCKET_ANNOUNCED) &&
      !exa_announce_socket(sk, state, row, event->header.ktime_ns)) {
    EXA_COUNT(row, DROPPED_CHUNK_RING_FULL);
    return 0;
  }
  exa_fill_header(&event->header, EXA_EVENT_CHUNK, size, event->header.ktime_ns, state->cookie,
                  state->tgid);
  event->captured_bytes = captured;
  event->direction = direction;
  event->other.position = other->position;
  event->other.last_byte_ns = other->last_byte_ns;
  exa_tell_last_call(state, row);

  if (exa_events_output(event, size,
                        room & EXA_ROOM_WAKE ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP)) {
    EXA_COUNT(row, DROPPED_CHUNK_RING_FULL);
    return 0;
  }
  EXA_COUNT(row, EMITTED_CHUNK);
  return 1;
}

/* It is not read, being of that kind, and not looked at until exa_run_retries(). */
static __always_inline void exa_ignore(struct exa_socket_state* state, struct exa_counter_row* row,
                                       __u32 kind) {
  exa_count_once(state, kind);
  __sync_fetch_and_or(&state->flags, EXA_SOCKET_IGNORED);
  EXA_COUNT(row, SOCKETS_IGNORED);
  EXA_COUNT(row, FILTERED_IGNORED_SOCKET);
}

/* Looks at a chunk of an observed socket and writes its record if it is worth one. Returns whether
 * the ring now knows how far this direction has come. */
static __always_inline int exa_look_at_chunk(struct sock* sk, struct task_struct* task,
                                             struct exa_socket_state* state,
                                             struct exa_counter_row* row,
                                             struct exa_scratch* scratch, int direction,
                                             __u32 length, int turned, int in_buffer) {
  struct exa_run* run = &state->run;
  struct exa_chunk_event* event = &scratch->event;
  struct exa_source source;
  __u32 wanted;
  __u32 copied = 0;
  int head_bytes = 0, told;

  event->direction = direction;
  event->flags = 0;
  exa_find_source(&source, task, state, scratch, direction, length);
  if (!in_buffer) source.gap = EXA_GAP_NO_BUFFER;

  if (state->flags & EXA_SOCKET_FRAMES) {
    if (!exa_frames_give_up(state, direction, turned)) goto frames;
    exa_ignore(state, row, EXA_KIND_UNKNOWN);
    return 0;
  }
  if (source.gap == EXA_GAP_NONE) {
    wanted = exa_run_at_once(run, &exa_config, turned, length, state->flags);
    *(__u64*)scratch->payload = 0;
    copied = exa_copy(&source, scratch, wanted);
  }

  if (copied == 0) { /* out of reach: told where a head could have been */
    if (source.gap == EXA_GAP_READ_FAULT) EXA_COUNT(row, READ_FAULT);
    const enum exa_sight sight = exa_run_out_of_reach(run, &exa_config, turned, state->flags);
    if (sight == EXA_SIGHT_BODY) {
      EXA_COUNT(row, FILTERED_BODY);
      exa_note_last_call(state, event);
      return 0;
    }
    if (turned) exa_count_out_of_reach(state, source.gap);
    if (sight == EXA_SIGHT_NOTHING) {
      exa_ignore(state, row, EXA_KIND_UNKNOWN);
      return 0;
    }
    event->gap_reason = source.gap;
    return exa_emit_chunk(sk, task, state, row, scratch, direction, 0);
  }

  __u64 word = *(__u64*)scratch->payload;
  if (copied < 8) word &= (1ull << (8 * copied)) - 1;
  if (!(state->flags & EXA_SOCKET_RECOGNISED)) {
    exa_run_word(run, word, copied, turned);
    word = run->word;
  } else if ((state->flags & EXA_SOCKET_SWITCHED) &&
             exa_begins_switched(state, direction, turned, word, copied)) {
    goto frames;
  }
  if (turned && !(state->flags & EXA_SOCKET_RECOGNISED) && exa_sniff_frame(word) &&
      !exa_sniff_http2_settings(word) && exa_shows_frames(&source, scratch, length)) {
    exa_frames_join(state, direction);
    goto frames;
  }
  switch (exa_run_look(run, &exa_config, word, turned, event->position, state->flags)) {
    case EXA_SIGHT_BODY:
      if ((state->flags & EXA_SOCKET_RECOGNISED) &&
          exa_look_at_last(state, &source, scratch, length)) {
        copied = 0;
        event->flags = EXA_CHUNK_ENDS;
        event->gap_reason = EXA_GAP_BUDGET;
        goto emit;
      }
      EXA_COUNT(row, FILTERED_BODY);
      exa_note_last_call(state, event);
      return 0;
    case EXA_SIGHT_TLS:
      __sync_fetch_and_or(&state->flags, EXA_SOCKET_TLS);
      exa_count_connection(EXA_KIND_TLS);
      exa_count_ciphertext(row);
      if (exa_tls_enabled) exa_tls_tell(task, row, event->header.ktime_ns);
      return 0;
    case EXA_SIGHT_HTTP2:
      exa_frames_begin(state, direction,
                       exa_sniff_http2(word) ? EXA_HTTP2_PREFACE_BYTES - run->word_earlier : 0);
      goto frames;
    case EXA_SIGHT_NOTHING:
      exa_ignore(state, row, EXA_KIND_UNKNOWN);
      return 0;
    case EXA_SIGHT_HEAD:
      if (exa_sniff_http2(word)) exa_count_once(state, EXA_KIND_HTTP2);
      break;
  }
  const __u32 recognised = exa_run_recognises(run, direction == EXA_EGRESS, state->flags);
  if (recognised) __sync_fetch_and_or(&state->flags, recognised);

  wanted = length < run->budget_bytes ? length : run->budget_bytes;
  const __u32 first = exa_run_first(run, wanted);
  if (copied < first && source.gap == EXA_GAP_NONE) copied = exa_copy(&source, scratch, first);
  if (turned && (state->flags & EXA_SOCKET_SWITCHING))
    __sync_fetch_and_and(&state->flags, ~(__u32)EXA_SOCKET_SWITCHING);
  if ((state->flags & EXA_SOCKET_SWITCHING) ||
      exa_may_switch(scratch->payload, word, copied, length)) {
    if (copied < wanted && source.gap == EXA_GAP_NONE) copied = exa_copy(&source, scratch, wanted);
    head_bytes = exa_switch(state, scratch, copied, length);
    if (head_bytes > 0) {
      event->length_bytes = copied = head_bytes;
      event->gap_reason = EXA_GAP_NONE;
      goto emit;
    }
  }
  const int may_pipeline = exa_run_may_pipeline(run, length);
  const int cut = copied == EXA_FIRST_CAPTURE_BYTES && wanted > copied && !run->pipelined;
  if (may_pipeline || cut) {
    const int found = exa_first_head(scratch, copied);
    if (may_pipeline) exa_run_learn(run, found == EXA_HEAD_AGAIN, length);
    if (cut && found == EXA_HEAD_ENDS)
      run->budget_bytes = 0; /* the rest is body */
    else if (cut)
      copied = exa_copy(&source, scratch, wanted);
  }
  if (exa_run_captured(run, copied, length)) {
    event->gap_reason = EXA_GAP_NONE;
  } else {
    if (source.gap == EXA_GAP_READ_FAULT) EXA_COUNT(row, READ_FAULT);
    event->gap_reason = source.gap == EXA_GAP_NONE ? EXA_GAP_BUDGET : source.gap;
    if (exa_look_at_last(state, &source, scratch, length)) event->flags = EXA_CHUNK_ENDS;
  }
emit:
  told = exa_emit_chunk(sk, task, state, row, scratch, direction, copied);
  if (head_bytes <= 0) return told;
  EXA_COUNT(row, HITS_FURTHER);
  event->length_bytes = length;
  event->flags = EXA_CHUNK_HEAD_TOLD;
frames:
  return exa_look_at_frames_of(sk, state, row, scratch, &source);
}

#endif
