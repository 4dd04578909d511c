/* The programs that every rung of capture has: arrivals, ends, processes, and the sweep. */
#ifndef EXA_BPF_LIB_LIFECYCLE_H
#define EXA_BPF_LIB_LIFECYCLE_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/lib/kernel_types.bpf.h"
#include "bpf/lib/moved.bpf.h"
#include "bpf/lib/process.bpf.h"
#include "bpf/lib/process_life.bpf.h"
#include "bpf/lib/records.bpf.h"
#include "bpf/lib/socket_ends.bpf.h"
#include "bpf/lib/tls_ciphertext.bpf.h"
#include "bpf/maps/sockets.bpf.h"

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

/* Into the state in which the peer is asked for a connection, or out of it. */
static __noinline int exa_note_connect(struct sock* sk, int to) {
  struct exa_socket_state* state;

  if (!sk || !bpf_skc_to_tcp_sock(sk)) return 0;
  state = bpf_sk_storage_get(
      &exa_sockets, sk, 0,
      to == TCP_SYN_SENT && exa_config.call_facts ? BPF_SK_STORAGE_GET_F_CREATE : 0);
  if (!state) return 0;
  if (to == TCP_SYN_SENT) { /* perhaps connected anew: another connection on the same socket */
    __builtin_memset(state, 0, sizeof(*state));
    state->connect_ns = bpf_ktime_get_ns();
  } else if (to == TCP_ESTABLISHED && state->connect_ns && !state->tgid) {
    state->connect_ns = bpf_ktime_get_ns() - state->connect_ns;
    __sync_fetch_and_or(&state->flags, EXA_SOCKET_CONNECTED);
  }
  return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(exa_set_state, struct sock* sk, int from, int to) {
  struct exa_socket_state* state;
  struct tcp_sock* tcp;

  if (to == TCP_SYN_SENT || from == TCP_SYN_SENT) exa_note_connect(sk, to);
  if (to != TCP_FIN_WAIT1 && to != TCP_LAST_ACK && to != TCP_CLOSE) return 0;
  tcp = bpf_skc_to_tcp_sock(sk);
  if (!tcp) return 0;
  state = bpf_sk_storage_get(&exa_sockets, sk, 0, 0);
  if (!state) return 0;
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
  if (exa_config.note_moved) bpf_map_delete_elem(&exa_moved, &state->cookie);
  if (exa_tls_enabled && (state->flags & EXA_SOCKET_TLS))
    return exa_tls_on_end(sk, exa_final(sk, tcp), state->socket_error);
  if ((state->flags & (EXA_SOCKET_ANNOUNCED | EXA_SOCKET_ENDED)) != EXA_SOCKET_ANNOUNCED) return 0;
  exa_catch_up(state, sk, tcp);
  return exa_emit_end(state, exa_final(sk, tcp), state->socket_error);
}

/* Only plain sockets know when they wrote what. */
static __always_inline int exa_writes_answers(const struct exa_socket_state* state) {
  const __u32 answers = EXA_SOCKET_ANNOUNCED | EXA_SOCKET_RECOGNISED;

  return (state->flags & (answers | EXA_SOCKET_CLIENT | EXA_SOCKET_FILTERED)) == answers &&
         state->flow[EXA_EGRESS].last_byte_ns;
}

static __always_inline int exa_tell_of_answer(const struct exa_socket_state* state, __u8 type,
                                              __u64 now) {
  struct exa_answer_event event = {.last_byte_ns = state->flow[EXA_EGRESS].last_byte_ns};

  exa_fill_header(&event.header, type, sizeof(event), now, state->cookie, state->tgid);
  return exa_events_output(&event, sizeof(event), BPF_RB_NO_WAKEUP) == 0;
}

/* What a server has written did not arrive. */
SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(exa_resend, struct sock* sk) {
  const struct exa_socket_state* state = bpf_sk_storage_get(&exa_sockets, sk, 0, 0);
  struct exa_counter_row* row = exa_counters_of_this_cpu();

  if (!state || !row || !exa_writes_answers(state)) return 0;
  if (exa_tell_of_answer(state, EXA_EVENT_RESEND, bpf_ktime_get_ns()))
    EXA_COUNT_SHARED(row, EMITTED_RESEND);
  else
    EXA_COUNT_SHARED(row, DROPPED_RESEND_RING_FULL);
  return 0;
}

/* A segment has come, and is not looked at yet: does it acknowledge the last byte written? What
 * takes no longer than the way there and back and than peers delay an acknowledgement (Linux 40 ms,
 * where nothing is sent back) is not told. Nor is what the kernel skips because an interrupt
 * brought it while this ran for another socket: too rare for a figure of its own. */
enum { EXA_LATE_DELIVERY_NS = 50000000, EXA_TCP_ACK_SEQUENCE = 8 };

SEC("tp_btf/tcp_probe")
int BPF_PROG(exa_delivered, struct sock* sk, struct sk_buff* segment) {
  const struct exa_socket_state* state = bpf_sk_storage_get(&exa_sockets, sk, 0, 0);
  const struct tcp_sock* tcp;
  struct exa_counter_row* row;
  __be32 acknowledged = 0;
  __u64 now, late_ns;

  if (!state || !exa_writes_answers(state)) return 0;
  tcp = bpf_skc_to_tcp_sock(sk);
  if (!tcp || tcp->snd_una == state->flow[EXA_EGRESS].next_sequence) return 0;
  bpf_probe_read_kernel(&acknowledged, sizeof(acknowledged), segment->data + EXA_TCP_ACK_SEQUENCE);
  if (bpf_ntohl(acknowledged) != state->flow[EXA_EGRESS].next_sequence) return 0;
  now = bpf_ktime_get_ns();
  late_ns = EXA_LATE_DELIVERY_NS + (__u64)(tcp->srtt_us >> 3) * 1000;
  if (now - state->flow[EXA_EGRESS].last_byte_ns < late_ns) return 0;
  row = exa_counters_of_this_cpu();
  if (!row) return 0;
  if (exa_tell_of_answer(state, EXA_EVENT_DELIVERED, now))
    EXA_COUNT_SHARED(row, EMITTED_DELIVERED);
  else
    EXA_COUNT_SHARED(row, DROPPED_DELIVERED_RING_FULL);
  return 0;
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
  struct exa_socket_state* state = context->value;
  return context->sk && state ? exa_tell_positions(state) : 0;
}

#endif
