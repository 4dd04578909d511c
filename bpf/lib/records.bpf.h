/* Builders of the records other than chunks, and how records get into the rings. */
#ifndef EXA_BPF_LIB_RECORDS_H
#define EXA_BPF_LIB_RECORDS_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/lib/kernel_types.bpf.h"
#include "bpf/lib/last_bytes.h"
#include "bpf/lib/socket_state.h"
#include "bpf/lib/verified_once.h"
#include "bpf/maps/control.bpf.h"
#include "bpf/maps/counters.bpf.h"
#include "bpf/maps/events.bpf.h"
#include "exa/abi/event.h"

static __always_inline void exa_fill_header(struct exa_event_header* header, __u8 type,
                                            __u32 size_bytes, __u64 now, __u64 socket_id,
                                            __u32 tgid) {
  header->size_bytes = size_bytes;
  header->type = type;
  header->ktime_ns = now;
  header->socket_id = socket_id;
  header->tgid = tgid;
  header->cpu = bpf_get_smp_processor_id();
}

static __always_inline void exa_copy_direction_states(struct exa_direction_state* to,
                                                      const struct exa_socket_state* state) {
  to[0].position = state->flow[0].position;
  to[0].last_byte_ns = state->flow[0].last_byte_ns;
  to[1].position = state->flow[1].position;
  to[1].last_byte_ns = state->flow[1].last_byte_ns;
}

/* Addresses of a socket, before its first chunk. False if the ring is full: then it is tried again
 * with the next chunk, and this chunk is lost. */
static __noinline int exa_announce_socket(struct sock* sk, struct exa_socket_state* state,
                                          struct exa_counter_row* row, __u64 now) {
  struct exa_socket_event event = {};

  if (!sk || !state || !row) return 0;
  state->cookie = bpf_get_socket_cookie(sk);
  exa_fill_header(&event.header, EXA_EVENT_SOCKET, sizeof(event), now, state->cookie, state->tgid);
  event.family = sk->__sk_common.skc_family;
  event.local_port = sk->__sk_common.skc_num;
  event.remote_port = bpf_ntohs(sk->__sk_common.skc_dport);
  if (event.family == AF_INET) {
    *(__u32*)event.local_address = sk->__sk_common.skc_rcv_saddr;
    *(__u32*)event.remote_address = sk->__sk_common.skc_daddr;
  } else {
    bpf_probe_read_kernel(event.local_address, sizeof(event.local_address),
                          &sk->__sk_common.skc_v6_rcv_saddr);
    bpf_probe_read_kernel(event.remote_address, sizeof(event.remote_address),
                          &sk->__sk_common.skc_v6_daddr);
  }
  if (exa_events_output(&event, sizeof(event), BPF_RB_NO_WAKEUP)) {
    EXA_COUNT(row, DROPPED_SOCKET_RING_FULL);
    return 0;
  }
  EXA_COUNT(row, EMITTED_SOCKET);
  __sync_fetch_and_or(&state->flags, EXA_SOCKET_ANNOUNCED);
  return 1;
}

/* A call of the direction of answers that had no record: it may have been the last one of an
 * answer, which only what comes later shows. */
EXA_VERIFIED_ONCE int exa_note_last_call(struct exa_socket_state* state,
                                         const struct exa_chunk_event* event) {
  if (!state || !event || !event->facts.thread.known) return 0;
  if ((event->direction == EXA_INGRESS) != !!(state->flags & EXA_SOCKET_CLIENT)) return 0;
  state->last_call.last_byte_ns = event->header.ktime_ns;
  state->last_call.direction = event->direction;
  state->last_call.cpu = bpf_get_smp_processor_id();
  state->last_call.facts = event->facts;
  state->last_call.header.size_bytes = sizeof(state->last_call);
  return 0;
}

/* Before whatever tells how far its direction has come. Lost with a full ring: an account fewer. */
static __noinline int exa_tell_last_call(struct exa_socket_state* state,
                                         struct exa_counter_row* row) {
  struct exa_last_call_event* event;

  if (!state || !row || !state->last_call.header.size_bytes) return 0;
  event = &state->last_call;
  exa_fill_header(&event->header, EXA_EVENT_LAST_CALL, sizeof(*event), bpf_ktime_get_ns(),
                  state->cookie, state->tgid);
  if (exa_events_output(event, sizeof(*event), BPF_RB_NO_WAKEUP))
    EXA_COUNT_SHARED(row, DROPPED_LAST_CALL_RING_FULL);
  else
    EXA_COUNT_SHARED(row, EMITTED_LAST_CALL);
  event->header.size_bytes = 0;
  return 0;
}

/* No more bytes in a direction, or in both: told once, and only for sockets the ring knows. */
static __noinline int exa_emit_end(struct exa_socket_state* state, __u32 end_flags,
                                   __u32 socket_error) {
  struct exa_end_event event = {};
  struct exa_counter_row* row;
  __u32 marks = 0, before;

  if (!state || !(state->flags & EXA_SOCKET_ANNOUNCED)) return 0;
  if (end_flags & EXA_END_INGRESS) marks |= EXA_SOCKET_ENDED_INGRESS;
  if (end_flags & EXA_END_EGRESS) marks |= EXA_SOCKET_ENDED_EGRESS;
  if (end_flags & EXA_END_FINAL) marks |= EXA_SOCKET_ENDED;
  before = __sync_fetch_and_or(&state->flags, marks);
  if ((before & EXA_SOCKET_ENDED) || (before & marks) == marks) return 0;

  row = exa_counters_of_this_cpu();
  if (!row) return 0;
  exa_fill_header(&event.header, EXA_EVENT_END, sizeof(event), bpf_ktime_get_ns(), state->cookie,
                  state->tgid);
  exa_tell_last_call(state, row);
  exa_copy_direction_states(event.direction, state);
  event.flags = end_flags |
                (state->frames[EXA_INGRESS].flags & EXA_HTTP2_MISSED) *
                    (EXA_END_MISSED_INGRESS / EXA_HTTP2_MISSED) |
                (state->frames[EXA_EGRESS].flags & EXA_HTTP2_MISSED) *
                    (EXA_END_MISSED_EGRESS / EXA_HTTP2_MISSED);
  if (exa_ends_open(state->run.last))
    event.flags |=
        state->run.direction_known == EXA_EGRESS + 1 ? EXA_END_OPEN_EGRESS : EXA_END_OPEN_INGRESS;
  event.socket_error = socket_error;
  if (exa_events_output(&event, sizeof(event), BPF_RB_NO_WAKEUP))
    EXA_COUNT_SHARED(row, DROPPED_END_RING_FULL);
  else
    EXA_COUNT_SHARED(row, EMITTED_END);
  return 0;
}

/* The sweep of one socket or TLS stream: if the ring knows it and it moved on without a record, how
 * far it has come. */
static __always_inline int exa_tell_positions(struct exa_socket_state* state) {
  struct exa_position_event event = {};
  struct exa_counter_row* row;

  if ((state->flags & (EXA_SOCKET_ANNOUNCED | EXA_SOCKET_ENDED)) != EXA_SOCKET_ANNOUNCED) return 0;
  exa_copy_direction_states(event.direction, state);
  if (event.direction[0].position == state->flow[0].told_position &&
      event.direction[1].position == state->flow[1].told_position)
    return 0;
  row = exa_counters_of_this_cpu();
  if (!row) return 0;
  exa_tell_last_call(state, row);
  exa_fill_header(&event.header, EXA_EVENT_POSITION, sizeof(event), bpf_ktime_get_ns(),
                  state->cookie, state->tgid);
  if (exa_events_output(&event, sizeof(event), BPF_RB_NO_WAKEUP)) {
    EXA_COUNT_SHARED(row, DROPPED_POSITION_RING_FULL);
    return 0;
  }
  EXA_COUNT_SHARED(row, EMITTED_POSITION);
  state->flow[0].told_position = event.direction[0].position;
  state->flow[1].told_position = event.direction[1].position;
  return 0;
}

#endif
