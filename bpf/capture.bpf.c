/* The primary rung of capture: every TCP byte that a process reads or writes is seen where the
 * socket layer reports the length of a finished call, in the context of the task that made it.
 *
 * A record is written only where a message can begin or its head goes on; otherwise positions
 * advance. The path of a socket call reads top to bottom with early returns, the cheapest first. */
#include "bpf/lib/kernel_types.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/lib/chunk.bpf.h"
#include "bpf/lib/decision.h"
#include "bpf/lib/other_sockets.bpf.h"
#include "bpf/lib/process.bpf.h"
#include "bpf/lib/process_life.bpf.h"
#include "bpf/lib/records.bpf.h"
#include "bpf/lib/send_times.bpf.h"
#include "bpf/lib/socket_ends.bpf.h"
#include "bpf/lib/tls_ciphertext.bpf.h"
#include "bpf/lib/user_buffer.bpf.h"
#include "bpf/maps/sockets.bpf.h"

const volatile struct exa_capture_config exa_config = {
    .capture_budget_bytes = EXA_MAX_CAPTURE_BYTES,
    .ignore_after_runs = 16,
    .retry_after_runs = 1024,
    .wakeup_fill_bytes = 2 << 20,
    .event_ring_bytes = 8 << 20,
};

const volatile __u32 exa_tls_enabled = 0;

enum {
  EXA_NOT_OF_STREAM = MSG_PEEK | MSG_ERRQUEUE | MSG_OOB,
  EXA_NOT_IN_BUFFER = MSG_TRUNC | MSG_SOCK_DEVMEM,
};

/* length bytes of a TCP socket were moved. number: 0, or that of a spare program. */
static __always_inline int exa_on_chunk(struct sock* sk, struct exa_counter_row* row, __u32 length,
                                        const int direction, int in_buffer, const int number) {
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
      exa_expect(state, sk, tcp);
      if (direction == EXA_EGRESS) exa_note_first_send(state, tcp, length);
    }
    may_tell = exa_judge(sk, task, state, row, now);
  }

  position = exa_chunk_position(flow, sequence);
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
  scratch->event.header.ktime_ns = now;
  scratch->event.position = position;
  scratch->event.previous_last_byte_ns = flow->last_byte_ns;
  scratch->event.arrival_ns =
      direction == EXA_EGRESS && turned ? exa_first_byte_left(state, tcp) : arrival_ns;
  scratch->event.length_bytes = length;
  scratch->event.tcp_sequence = sequence;
  told = exa_look_at_chunk(sk, task, state, row, scratch, direction, length, turned, in_buffer);

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

SEC("tp_btf/sock_send_length")
int BPF_PROG(exa_sock_send, struct sock* sk, int result, int flags) {
  struct exa_counter_row* row = exa_counters_of_program(EXA_EGRESS, 0);
  if (!row) return 0;
  EXA_COUNT(row, HITS_SEND);
  if (result <= 0) {
    EXA_COUNT(row, FILTERED_EMPTY);
    if (result == 0 || exa_batches_seen) exa_on_nothing(sk, result, EXA_EGRESS);
    if (result == -EAGAIN && exa_tls_enabled) exa_tls_on_blocked(sk);
    return 0;
  }
  return exa_on_chunk(sk, row, result, EXA_EGRESS, 1, 0);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(exa_sock_recv, struct sock* sk, int result, int flags) {
  struct exa_counter_row* row = exa_counters_of_program(EXA_INGRESS, 0);
  if (!row) return 0;
  EXA_COUNT(row, HITS_RECV);
  if (result <= 0) {
    EXA_COUNT(row, FILTERED_EMPTY);
    if (result != -EAGAIN || exa_batches_seen) exa_on_nothing(sk, result, EXA_INGRESS);
    return 0;
  }
  if (flags & EXA_NOT_OF_STREAM) {
    EXA_COUNT(row, FILTERED_PEEK);
    return 0;
  }
  return exa_on_chunk(sk, row, result, EXA_INGRESS, !(flags & EXA_NOT_IN_BUFFER), 0);
}

/* Spares. Linux 7 may preempt a program on a tracepoint, and until that thread goes on, no other
 * thread of the CPU gets into the same program: its calls are skipped. So the same runs again as
 * another program behind the first, and once more, and does nothing where sequence numbers say that
 * the call was seen. What moved no bytes is left to the first. Attached where they are needed only.
 */
static __always_inline int exa_look_again(struct sock* sk, int result, int flags,
                                          const int direction, const int number) {
  struct exa_counter_row* row = exa_counters_of_program(direction, number);
  if (!row || result <= 0 || (direction == EXA_INGRESS && (flags & EXA_NOT_OF_STREAM))) return 0;
  return exa_on_chunk(sk, row, result, direction,
                      direction == EXA_EGRESS || !(flags & EXA_NOT_IN_BUFFER), number);
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(exa_sock_send_2, struct sock* sk, int result, int flags) {
  return exa_look_again(sk, result, flags, EXA_EGRESS, 1);
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(exa_sock_send_3, struct sock* sk, int result, int flags) {
  return exa_look_again(sk, result, flags, EXA_EGRESS, 2);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(exa_sock_recv_2, struct sock* sk, int result, int flags) {
  return exa_look_again(sk, result, flags, EXA_INGRESS, 1);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(exa_sock_recv_3, struct sock* sk, int result, int flags) {
  return exa_look_again(sk, result, flags, EXA_INGRESS, 2);
}

/* Stamps the first byte that reaches an empty queue. Softirq, or the peer's task on loopback. */
SEC("tp_btf/sk_data_ready")
int BPF_PROG(exa_data_ready, struct sock* sk) {
  struct exa_socket_state* state;
  const struct tcp_sock* tcp = bpf_skc_to_tcp_sock(sk);
  __u64 now = 0;

  if (!tcp || sk->__sk_common.skc_state == TCP_LISTEN) return 0;
  state = bpf_sk_storage_get(&exa_sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
  if (!state) /* of two CPUs that make it at once one gets nothing */
    state = bpf_sk_storage_get(&exa_sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
  if (!state || state->arrival_ns != EXA_ARRIVAL_NONE) return 0;
  const __u32 useless = EXA_SOCKET_FILTERED | EXA_SOCKET_CLIENT;
  if (state->flags & (exa_tls_enabled ? useless & ~(__u32)EXA_SOCKET_TLS : useless)) return 0;
  /* TCP read the clock when it took up the segment; another reading would cost 60 ns. */
  if (bpf_core_field_exists(tcp->tcp_clock_cache)) now = tcp->tcp_clock_cache;
  state->arrival_ns = now ? now : bpf_ktime_get_ns();
  return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(exa_set_state, struct sock* sk, int from, int to) {
  struct exa_socket_state* state;
  struct tcp_sock* tcp;

  if (to != TCP_FIN_WAIT1 && to != TCP_LAST_ACK && to != TCP_CLOSE && to != TCP_SYN_SENT) return 0;
  tcp = bpf_skc_to_tcp_sock(sk);
  if (!tcp) return 0;
  state = bpf_sk_storage_get(&exa_sockets, sk, 0, 0);
  if (!state) return 0;
  if (to == TCP_SYN_SENT) { /* connected anew: another connection on the same socket */
    __builtin_memset(state, 0, sizeof(*state));
    return 0;
  }
  const int tls = exa_tls_enabled && (state->flags & EXA_SOCKET_TLS);
  if (to != TCP_CLOSE) {
    __u32 over = EXA_END_EGRESS;
    /* Closed, or shut down both ways: whatever may still come, nobody reads it. The peer may take
     * minutes to acknowledge that. */
    if (sk->sk_shutdown == SHUTDOWN_MASK && !exa_unread(sk, tcp) &&
        (tls || !exa_call_under_way(state, sk, tcp, 0)))
      over = exa_final(sk, tcp);
    return tls ? exa_tls_on_end(sk, over, 0) : exa_emit_end(state, over, 0);
  }
  /* The process still has it. Data that came before a reset will be read, and a call that is under
   * way tells of its bytes when it returns: the end waits for that, at the longest until the
   * process closes. */
  const int fin_sent = from != TCP_ESTABLISHED && from != TCP_CLOSE_WAIT;
  state->socket_error = sk->sk_err;
  if (!(sk->__sk_common.skc_flags & (1ul << SOCK_DEAD)) &&
      (exa_unread(sk, tcp) || (!tls && exa_call_under_way(state, sk, tcp, fin_sent)))) {
    __sync_fetch_and_or(&state->flags, EXA_SOCKET_END_PENDING);
    return 0;
  }
  if (tls) return exa_tls_on_end(sk, exa_final(sk, tcp), sk->sk_err);
  exa_catch_up(state, sk, tcp);
  return exa_emit_end(state, exa_final(sk, tcp), sk->sk_err);
}

/* The last resort for a pending end: the process closed without reading what was left. */
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(exa_destroy, struct sock* sk) {
  struct exa_socket_state* state = bpf_sk_storage_get(&exa_sockets, sk, 0, 0);
  struct tcp_sock* tcp = bpf_skc_to_tcp_sock(sk);
  if (!state || !tcp) return 0;
  if (exa_tls_enabled && (state->flags & EXA_SOCKET_TLS))
    return exa_tls_on_end(sk, exa_final(sk, tcp), state->socket_error);
  if ((state->flags & (EXA_SOCKET_ANNOUNCED | EXA_SOCKET_ENDED)) != EXA_SOCKET_ANNOUNCED) return 0;
  exa_catch_up(state, sk, tcp);
  return exa_emit_end(state, exa_final(sk, tcp), state->socket_error);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(exa_exec, struct task_struct* task) {
  const __u32 tgid = exa_tgid(task);
  if (exa_tls_enabled && tgid) exa_tls_tell_exec(task, tgid);
  return exa_process_became_another(task, tgid);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(exa_exit, struct task_struct* task) {
  return exa_thread_exited(task);
}

/* The sweep: sockets that the ring knows and that moved on without a record. Read by the prober. */
SEC("iter/bpf_sk_storage_map")
int exa_sweep(struct bpf_iter__bpf_sk_storage_map* context) {
  struct exa_position_event event = {};
  struct exa_socket_state* state = context->value;
  struct exa_counter_row* row;

  if (!context->sk || !state) return 0;
  if ((state->flags & (EXA_SOCKET_ANNOUNCED | EXA_SOCKET_ENDED)) != EXA_SOCKET_ANNOUNCED) return 0;
  exa_copy_direction_states(event.direction, state);
  if (event.direction[0].position == state->flow[0].told_position &&
      event.direction[1].position == state->flow[1].told_position)
    return 0;
  row = exa_counters_of_this_cpu();
  if (!row) return 0;
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

char LICENSE[] SEC("license") = "Dual BSD/GPL";
