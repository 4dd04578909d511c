/* Plaintext that went through a TLS library: the stream it belongs to, and whether it is worth a
 * record. The decisions are those of decision.h, as for a chunk of a plain socket. */
#ifndef EXA_BPF_LIB_TLS_PLAIN_H
#define EXA_BPF_LIB_TLS_PLAIN_H

#include "bpf/lib/connection_kinds.bpf.h"
#include "bpf/lib/decision.h"
#include "bpf/lib/facts.bpf.h"
#include "bpf/lib/frames_of_tls.bpf.h"
#include "bpf/lib/head_search.bpf.h"
#include "bpf/lib/last_bytes.h"
#include "bpf/lib/process.bpf.h"
#include "bpf/lib/ring_room.bpf.h"
#include "bpf/lib/tls_life.bpf.h"
#include "bpf/lib/tls_records.bpf.h"
#include "bpf/lib/tls_share.bpf.h"
#include "bpf/maps/tls.bpf.h"
#include "bpf/maps/tls_scratch.bpf.h"

/* All bits set if the socket will tell when these bytes leave: an answer lasts until then, a
 * request begins when it is written. Not a branch, of which the verifier would follow both ways to
 * the end of the program. */
static __always_inline __u32 exa_tls_leaves_later(const struct exa_tls_stream* stream,
                                                  const struct exa_plain* plain) {
  const __u32 flags = stream->state.flags;
  const __u32 at_once = flags / EXA_SOCKET_CLIENT | flags / EXA_SOCKET_FRAMES;
  return -(plain->direction & stream->tells_leaving & ~at_once & 1);
}

/* Why a call that moved bytes has no stream. */
static __noinline int exa_tls_count_no_stream(const struct exa_tls_key* key,
                                              struct exa_counter_row* row) {
  if (!key || !row) return 0;
  if (exa_tls_may_hold(key->tgid, EXA_TLS_STREAMS)) {
    EXA_COUNT_SHARED(row, TLS_DROPPED_NO_STATE);
    return 0;
  }
  EXA_COUNT_SHARED(row, TLS_DROPPED_STREAM_SHARE);
  exa_note_refusal(bpf_get_current_task_btf(), EXA_REFUSED_STREAM);
  return 0;
}

/* A record of what exa_tls_will_tell() noted. Called in one place: see there. */
static __noinline int exa_tls_tell(struct exa_tls_stream* stream, struct exa_counter_row* row,
                                   struct exa_scratch* scratch, const struct exa_plain* plain) {
  struct exa_chunk_event* event;
  struct exa_socket_state* state;

  if (!stream || !row || !scratch || !plain) return 0;
  event = &scratch->event;
  state = &stream->state;
  const int egress = plain->direction == EXA_EGRESS;
  const struct exa_flow* flow = &state->flow[egress];
  const struct exa_flow* other = &state->flow[!egress];
  __u32 size, later, captured = *(volatile __u32*)&event->captured_bytes;
  int room;

  if (captured > EXA_MAX_CAPTURE_BYTES) captured = EXA_MAX_CAPTURE_BYTES;
  *(__u64*)(scratch->payload + captured) = 0;
  size = sizeof(*event) + ((captured + 7) & ~7u);
  room = exa_ring_room(bpf_get_current_task_btf(), size);
  if (room & EXA_ROOM_REFUSED) {
    EXA_COUNT_SHARED(row, TLS_DROPPED_OVER_SHARE);
    return 0;
  }
  if (stream->socket.cookie && !stream->told_addresses)
    exa_tls_announce(stream, row, plain->now, 0);
  if (egress) exa_tls_all_left(stream); /* the record says where its bytes lie */
  exa_fill_header(&event->header, EXA_EVENT_CHUNK, size, plain->now, state->cookie, state->tgid);
  event->position = flow->position;
  event->previous_last_byte_ns = flow->last_byte_ns;
  event->other.position = other->position;
  event->other.last_byte_ns = other->last_byte_ns;
  later = captured ? exa_tls_leaves_later(stream, plain) : 0;
  event->length_bytes = (captured & later) | (plain->length & ~later);
  event->captured_bytes = captured;
  event->direction = plain->direction;
  event->gap_reason &= ~later;
  if (exa_ports_are_proven(bpf_get_current_task_btf())) event->flags |= EXA_CHUNK_PORTS_PROVEN;
  event->other_moved = 0;
  event->arrival_ns = 0;
  event->tcp_sequence = 0;
  if (stream->from_start) {
    event->tcp_sequence = EXA_TLS_FIRST_SEQUENCE + (__u32)flow->position;
    if (!egress && stream->ingress_pending && !(state->flags & EXA_SOCKET_CLIENT))
      event->arrival_ns = stream->arrival_ns;
  } else if (egress) {
    if (stream->egress_known) event->tcp_sequence = stream->egress_sequence;
  } else if (stream->ingress_pending) {
    event->tcp_sequence = stream->ingress_sequence;
    if (!(state->flags & EXA_SOCKET_CLIENT)) event->arrival_ns = stream->arrival_ns;
  }
  if (exa_events_output(event, size,
                        room & EXA_ROOM_WAKE ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP)) {
    EXA_COUNT_SHARED(row, TLS_DROPPED_RING_FULL);
    return 0;
  }
  exa_tls_told(state, row);
  return 1;
}

static __always_inline __u32 exa_tls_copy(struct exa_scratch* scratch,
                                          const struct exa_plain* plain, __u32 wanted) {
  if (wanted > EXA_MAX_CAPTURE_BYTES) wanted = EXA_MAX_CAPTURE_BYTES;
  if (bpf_probe_read_user(scratch->payload, wanted, (void*)plain->buffer)) return 0;
  return wanted;
}

/* As exa_look_at_last() does. */
static __always_inline __u8 exa_tls_look_at_last(struct exa_run* run,
                                                 const struct exa_plain* plain) {
  const __u32 bytes = plain->length < 8 ? plain->length : 8;
  __u64 word = 0;
  if (bpf_probe_read_user(&word, bytes, (void*)(plain->buffer + plain->length - bytes))) {
    run->last = 0;
    return 0;
  }
  return exa_note_last(run, word, bytes, plain->length) ? EXA_CHUNK_ENDS : 0;
}

/* As exa_ignore() does. */
static __always_inline void exa_tls_ignore(struct exa_socket_state* state,
                                           struct exa_counter_row* row, __u32 kind) {
  exa_count_once(state, kind);
  __sync_fetch_and_or(&state->flags, EXA_SOCKET_IGNORED);
  EXA_COUNT_SHARED(row, SOCKETS_IGNORED);
  EXA_COUNT_SHARED(row, TLS_FILTERED_IGNORED);
}

enum exa_tls_looked {
  EXA_TLS_NOT_TOLD,
  EXA_TLS_TELL,   /* a record is due: exa_tls_tell() */
  EXA_TLS_FRAMES, /* HTTP/2: nothing was counted, it is left to be walked along */
};

/* From memory these are any numbers to the verifier, whichever way they came: so it follows the
 * record only once. */
static __always_inline int exa_tls_will_tell(struct exa_scratch* scratch, __u32 captured, __u8 gap,
                                             __u8 flags) {
  scratch->event.captured_bytes = captured;
  scratch->event.gap_reason = gap;
  scratch->event.flags = EXA_CHUNK_TLS | flags;
  return EXA_TLS_TELL;
}

/* The same decision as for a chunk of a plain socket; returns an exa_tls_looked. One thread may
 * read a stream while another writes it and finds out what it speaks, so that is asked once. */
static __noinline int exa_tls_look(struct exa_tls_stream* stream, struct exa_counter_row* row,
                                   struct exa_scratch* scratch, const struct exa_plain* plain,
                                   int turned) {
  struct exa_socket_state* state;
  struct exa_run* run;
  __u32 wanted, copied;
  __u8 gap = EXA_GAP_NONE, flags = 0;
  __u64 word;

  if (!stream || !row || !scratch || !plain) return EXA_TLS_NOT_TOLD;
  state = &stream->state;
  const __u32 known = *(volatile __u32*)&state->flags;
  if (known & EXA_SOCKET_FRAMES) return EXA_TLS_FRAMES;
  run = &state->run;
  wanted = exa_run_at_once(run, &exa_config, turned, plain->length, known);
  *(__u64*)scratch->payload = 0;
  copied = exa_tls_copy(scratch, plain, wanted);
  if (copied == 0) { /* out of reach: told where a head could have been */
    EXA_COUNT_SHARED(row, READ_FAULT);
    switch (exa_run_out_of_reach(run, &exa_config, turned, known)) {
      case EXA_SIGHT_BODY:
        EXA_COUNT_SHARED(row, TLS_FILTERED_BODY);
        return EXA_TLS_NOT_TOLD;
      case EXA_SIGHT_NOTHING:
        exa_tls_ignore(state, row, EXA_KIND_UNKNOWN);
        return EXA_TLS_NOT_TOLD;
      default:
        break;
    }
    return exa_tls_will_tell(scratch, 0, EXA_GAP_READ_FAULT, 0);
  }

  word = *(__u64*)scratch->payload; /* with zeroes after the chunk's end */
  /* As at a turn, once it is recognised: the chunk alone. From memory the word is any number to the
   * verifier, whichever way it came. */
  exa_run_word(run, word, copied, turned | (known & EXA_SOCKET_RECOGNISED));
  word = *(volatile __u64*)&run->word;
  const int egress = plain->direction == EXA_EGRESS;
  if (turned && !(known & EXA_SOCKET_RECOGNISED) && exa_sniff_frame(word) &&
      !exa_sniff_http2_settings(word)) {
    struct exa_source source = {.address = plain->buffer};
    if (exa_shows_frames(&source, scratch, plain->length)) {
      exa_frames_join(state, egress);
      return EXA_TLS_FRAMES;
    }
  }
  switch (exa_run_look(run, &exa_config, word, turned, state->flow[egress].position, known)) {
    case EXA_SIGHT_BODY:
      if ((known & EXA_SOCKET_RECOGNISED) && exa_tls_look_at_last(run, plain))
        return exa_tls_will_tell(scratch, 0, EXA_GAP_BUDGET, EXA_CHUNK_ENDS);
      EXA_COUNT_SHARED(row, TLS_FILTERED_BODY);
      return EXA_TLS_NOT_TOLD;
    case EXA_SIGHT_TLS: /* TLS inside TLS: its plaintext has a stream of its own */
    case EXA_SIGHT_NOTHING:
      exa_tls_ignore(state, row, EXA_KIND_UNKNOWN);
      return EXA_TLS_NOT_TOLD;
    case EXA_SIGHT_HTTP2:
      exa_frames_begin(state, egress,
                       exa_sniff_http2(word) ? EXA_HTTP2_PREFACE_BYTES - run->word_earlier : 0);
      return EXA_TLS_FRAMES;
    case EXA_SIGHT_HEAD:
      word = *(volatile __u64*)&run->word;
      if (exa_sniff_http2(word)) exa_count_once(state, EXA_KIND_HTTP2);
      break;
  }
  const __u32 recognised = exa_run_recognises(run, egress, known);
  if (recognised) __sync_fetch_and_or(&state->flags, recognised);

  wanted = plain->length < run->budget_bytes ? plain->length : run->budget_bytes;
  const __u32 first = exa_run_first(run, wanted);
  if (copied < first) copied = exa_tls_copy(scratch, plain, first);
  if (copied == EXA_FIRST_CAPTURE_BYTES && wanted > copied) {
    if (!run->pipelined &&
        exa_search_head_end(scratch->payload, EXA_FIRST_CAPTURE_BYTES) == EXA_HEAD_ENDS)
      run->budget_bytes = 0; /* the rest is body */
    else
      copied = exa_tls_copy(scratch, plain, wanted);
  }
  if (copied == 0) EXA_COUNT_SHARED(row, READ_FAULT);
  if (!exa_run_captured(run, copied, plain->length)) {
    gap = copied ? EXA_GAP_BUDGET : EXA_GAP_READ_FAULT;
    flags = exa_tls_look_at_last(run, plain);
  }
  return exa_tls_will_tell(scratch, copied, gap, flags);
}

/* Plaintext of an observed process went through the stream. */
static __noinline int exa_tls_on_plain(struct exa_tls_stream* stream, struct exa_counter_row* row,
                                       const struct exa_plain* plain) {
  struct exa_tls_scratch* taken;
  struct exa_scratch* scratch;
  struct exa_socket_state* state;
  struct exa_flow* flow;
  int turned, told = 0;
  __u32 moved;

  if (!stream || !row || !plain) return 0;
  moved = plain->length;
  state = &stream->state;
  flow = &state->flow[plain->direction == EXA_EGRESS];
  turned = exa_run_turns(&state->run, plain->direction);
  if (stream->socket.cookie && !stream->judged_socket) {
    stream->judged_socket = 1;
    if (exa_is_excluded_port(stream->socket.local_port, stream->socket.remote_port))
      __sync_fetch_and_or(&state->flags, EXA_SOCKET_EXCLUDED_PORT);
  }
  if (state->flags & EXA_SOCKET_EXCLUDED_PORT) {
    EXA_COUNT_SHARED(row, TLS_FILTERED_PORT);
    goto advance;
  }
  if (!state->flow[EXA_INGRESS].started && !state->flow[EXA_EGRESS].started)
    exa_tls_begins_to_be_read();
  if (state->flags & EXA_SOCKET_IGNORED) {
    if (!turned || !exa_run_retries(&state->run, &exa_config)) {
      EXA_COUNT_SHARED(row, TLS_FILTERED_IGNORED);
      goto advance;
    }
    __sync_fetch_and_and(&state->flags, ~(__u32)EXA_SOCKET_IGNORED);
  }
  taken = exa_tls_scratch_take();
  if (!taken) {
    EXA_COUNT_SHARED(row, TLS_DROPPED_SCRATCH_BUSY);
    goto advance;
  }
  scratch = &taken->scratch;
  scratch->event.facts.socket = (struct exa_socket_facts){};
  if (stream->from_start && !state->flow[EXA_EGRESS].started)
    scratch->event.facts.socket.connect_us = stream->socket.connect_us;
  exa_take_thread_facts(&scratch->event.facts.thread, state, 0, plain->direction, turned);
  if ((state->flags & EXA_SOCKET_FRAMES) &&
      exa_frames_give_up(state, plain->direction == EXA_EGRESS, turned)) {
    exa_tls_ignore(state, row, EXA_KIND_UNKNOWN);
  } else {
    told = exa_tls_look(stream, row, scratch, plain, turned);
    if (told == EXA_TLS_FRAMES) {
      told = exa_tls_look_at_frames(stream, row, scratch, plain);
    } else {
      if (told == EXA_TLS_TELL) told = exa_tls_tell(stream, row, scratch, plain);
      if (told)
        moved = scratch->event.length_bytes;
      else
        moved &= ~exa_tls_leaves_later(stream, plain);
    }
  }
  exa_tls_scratch_give_back(taken);

advance:
  if (told) flow->told_position = flow->position + moved;
  if (moved) flow->last_byte_ns = plain->now;
  flow->position += moved;
  stream->unsent_bytes += plain->length - moved;
  flow->started = 1;
  if (plain->direction == EXA_INGRESS) stream->ingress_pending = 0;
  return 0;
}

#endif
