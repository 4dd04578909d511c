/* What happens when a call has moved bytes of a TCP socket, or none, whatever program saw the call:
 * the rungs of capture differ in that only.
 *
 * A record is written only where a message can begin or its head goes on; otherwise positions
 * advance. The path of a socket call reads top to bottom with early returns, the cheapest first. */
#ifndef EXA_BPF_LIB_ON_CHUNK_H
#define EXA_BPF_LIB_ON_CHUNK_H

#include <bpf/bpf_helpers.h>

#include "bpf/lib/capture_config.bpf.h"
#include "bpf/lib/chunk.bpf.h"
#include "bpf/lib/decision.h"
#include "bpf/lib/facts.bpf.h"
#include "bpf/lib/kernel_types.bpf.h"
#include "bpf/lib/moved.bpf.h"
#include "bpf/lib/other_sockets.bpf.h"
#include "bpf/lib/process.bpf.h"
#include "bpf/lib/records.bpf.h"
#include "bpf/lib/send_times.bpf.h"
#include "bpf/lib/socket_ends.bpf.h"
#include "bpf/lib/tls_ciphertext.bpf.h"
#include "bpf/lib/user_buffer.bpf.h"
#include "bpf/maps/scratch.bpf.h"
#include "bpf/maps/sockets.bpf.h"

enum { EXA_NOT_IN_BUFFER = MSG_TRUNC | MSG_SOCK_DEVMEM }; /* of what was read */

const volatile __u32 exa_tls_enabled = 0;

/* length bytes of a TCP socket were moved. flags: the call's, as the kernel has them. number: 0, or
 * that of a spare program. */
static __always_inline int exa_on_chunk(struct sock* sk, struct exa_counter_row* row, __u32 length,
                                        const int direction, int flags, const int number) {
  struct task_struct* task;
  struct exa_socket_state* state;
  struct exa_scratch* scratch;
  struct exa_flow* flow;
  struct tcp_sock* tcp;
  const __u32 slot = EXA_IO_DIRECTIONS * number + direction;
  __u64 now, arrival_ns = 0, position;
  __u32 sequence;
  int turned, may_tell = 1, told = 0;

  tcp = bpf_skc_to_tcp_sock(sk);
  if (!tcp) {
    if (!number) {
      EXA_COUNT(row, FILTERED_NOT_TCP);
      exa_count_other_socket(sk);
    }
    return 0;
  }
  task = bpf_get_current_task_btf();
  if (task->flags & PF_KTHREAD) {
    if (!number) EXA_COUNT(row, FILTERED_KERNEL);
    return 0;
  }
  state = bpf_sk_storage_get(&exa_sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
  if (!state) /* of two CPUs that make it at once one gets nothing */
    state = bpf_sk_storage_get(&exa_sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
  if (!state) {
    if (!number) EXA_COUNT(row, DROPPED_CHUNK_NO_STATE);
    return 0;
  }
  flow = &state->flow[direction];
  sequence = (direction == EXA_INGRESS ? exa_read_up_to(sk, tcp) : tcp->write_seq) - length;
  if (number) {
    if (flow->started && flow->next_sequence == sequence + length) return 0; /* seen already */
    if (direction == EXA_EGRESS)
      EXA_COUNT(row, HITS_SEND);
    else
      EXA_COUNT(row, HITS_RECV);
  }
  now = direction == EXA_EGRESS ? exa_time_sent(tcp) : 0;
  if (!now) now = bpf_ktime_get_ns();
  if (state->tgid != exa_tgid(task) || state->generation != exa_generation) {
    if (!state->tgid) {
      exa_expect(state, sk, tcp, direction, sequence);
      if (direction == EXA_EGRESS) exa_note_first_send(state, tcp, length);
    }
    may_tell = exa_judge(sk, task, state, row, now);
  }

  position = exa_chunk_position(flow, sequence);
  exa_note_other(&state->run, flow,
                 direction == EXA_INGRESS ? tcp->write_seq : exa_read_up_to(sk, tcp));
  turned = exa_run_turns(&state->run, direction);
  if (direction == EXA_INGRESS && turned) exa_note_idle(state, tcp);
  if (direction == EXA_INGRESS && state->arrival_ns != EXA_ARRIVAL_NONE) {
    /* Cleared before the queue is looked at, so that a byte that comes in between stamps itself. */
    arrival_ns = __sync_lock_test_and_set(&state->arrival_ns, EXA_ARRIVAL_NONE);
    if (tcp->rcv_nxt != tcp->copied_seq) state->arrival_ns = EXA_ARRIVAL_UNKNOWN;
    if (arrival_ns == EXA_ARRIVAL_UNKNOWN) arrival_ns = 0;
  }

  if (state->flags & EXA_SOCKET_FILTERED) {
    const __u32 flags = state->flags;
    if (flags & EXA_SOCKET_OF_KERNEL)
      EXA_COUNT(row, FILTERED_KERNEL);
    else if (flags & EXA_SOCKET_EXCLUDED_PORT)
      EXA_COUNT(row, FILTERED_PORT);
    else if (flags & EXA_SOCKET_EXCLUDED_PROCESS)
      EXA_COUNT(row, FILTERED_PROCESS);
    else if (flags & EXA_SOCKET_TLS)
      exa_count_ciphertext(row);
    else if (turned && exa_run_retries(&state->run, &exa_config)) {
      __sync_fetch_and_and(&state->flags, ~(__u32)EXA_SOCKET_IGNORED);
      goto look;
    } else
      EXA_COUNT(row, FILTERED_IGNORED_SOCKET);
    goto advance;
  }

look:
  if (!may_tell) {
    EXA_COUNT(row, DROPPED_CHUNK_UNTOLD);
    goto advance;
  }
  scratch = bpf_map_lookup_elem(&exa_scratch, &slot);
  if (!scratch) return 0;
  exa_take_thread_facts(
      &scratch->event.facts.thread, state,
      EXA_FACTS_SOCKET | (direction == EXA_INGRESS ? exa_ways_to_wait(sk, flags) : 0), direction,
      turned);
  exa_take_socket_facts(&scratch->event.facts.socket, tcp);
  if (direction == EXA_EGRESS) exa_take_connect(&scratch->event.facts.socket, state);
  scratch->event.header.ktime_ns = now;
  scratch->event.position = position;
  scratch->event.previous_last_byte_ns = flow->last_byte_ns;
  scratch->event.arrival_ns =
      direction == EXA_EGRESS && turned ? exa_first_byte_left(state, tcp) : arrival_ns;
  scratch->event.length_bytes = length;
  scratch->event.tcp_sequence = sequence;
  scratch->event.other_moved = flow->other_moved;
  told = exa_look_at_chunk(sk, task, state, row, scratch, direction, length, turned,
                           direction == EXA_EGRESS || !(flags & EXA_NOT_IN_BUFFER));

advance:
  /* On an excluded port too: the stream above must know that it is excluded. */
  if (exa_tls_enabled && !told && (state->flags & (EXA_SOCKET_TLS | EXA_SOCKET_EXCLUDED_PORT)) &&
      !(state->flags & (EXA_SOCKET_OF_KERNEL | EXA_SOCKET_EXCLUDED_PROCESS))) {
    scratch = bpf_map_lookup_elem(&exa_scratch, &slot);
    if (scratch) {
      scratch->ciphertext = (struct exa_ciphertext){.arrival_ns = arrival_ns,
                                                    .now = now,
                                                    .length = length,
                                                    .sequence = sequence,
                                                    .direction = direction};
      int noted = exa_tls_on_ciphertext(sk, task, state, scratch);
      barrier_var(noted);
    }
  }
  /* After the record, so that the sweep never tells a position before the chunk that reached it. */
  if (told) flow->told_position = position + length;
  flow->last_byte_ns = now;
  flow->position = position + length;
  flow->next_sequence = sequence + length;
  flow->started = 1;
  if (exa_config.note_moved && !told &&
      (state->flags & (EXA_SOCKET_ANNOUNCED | EXA_SOCKET_ENDED)) == EXA_SOCKET_ANNOUNCED)
    exa_note_moved(state, row);
  if (sk->__sk_common.skc_state == TCP_CLOSE) exa_end_after_chunk(sk, state, tcp);
  return 0;
}

/* A call that moved nothing: end of file or an error on a socket that has ended, and the steps of
 * sendmmsg and recvmmsg, which go on after an empty message and stop at an error. */
static __noinline int exa_on_nothing(struct sock* sk, int result, int direction) {
  struct exa_socket_state* state;
  struct task_struct* task;
  struct exa_flow* flow;
  struct exa_call call;
  struct tcp_sock* tcp;

  if (!sk) return 0;
  tcp = bpf_skc_to_tcp_sock(sk);
  if (!tcp) return 0;
  task = bpf_get_current_task_btf();
  if (task->flags & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER)) return 0;
  exa_current_call(&call, task, (const struct pt_regs*)bpf_task_pt_regs(task), direction);
  state = bpf_sk_storage_get(&exa_sockets, sk, 0,
                             result == 0 && call.shape == EXA_SHAPE_MESSAGES && !call.compat
                                 ? BPF_SK_STORAGE_GET_F_CREATE
                                 : 0);
  if (!state) return 0;
  flow = &state->flow[direction == EXA_EGRESS];
  if (call.shape == EXA_SHAPE_MESSAGES && !call.compat) {
    if (result < 0)
      flow->batch_thread = 0;
    else if (exa_batch_index(state, flow, &call) >= 0)
      exa_batch_advance(flow, &call);
  }
  if (direction != EXA_INGRESS || !(state->flags & EXA_SOCKET_ANNOUNCED)) return 0;
  if (result == -EAGAIN || result <= -ERESTARTSYS) return 0;
  const int pending = state->flags & EXA_SOCKET_END_PENDING;
  if (!pending &&
      (result != 0 || !(sk->sk_shutdown & RCV_SHUTDOWN) || tcp->rcv_nxt != tcp->copied_seq))
    return 0;
  exa_catch_up(state, sk, tcp);
  if (pending) return exa_emit_end(state, exa_final(sk, tcp), state->socket_error);
  return exa_emit_end(state, EXA_END_INGRESS, 0);
}

#endif
