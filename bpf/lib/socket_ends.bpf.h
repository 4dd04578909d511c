/* Where a socket's bytes end: how far the process has read, and the end itself, which may come
 * before the last call has told of its bytes. */
#ifndef EXA_BPF_LIB_SOCKET_ENDS_H
#define EXA_BPF_LIB_SOCKET_ENDS_H

#include "bpf/lib/decision.h"
#include "bpf/lib/records.bpf.h"
#include "bpf/lib/socket_state.h"

/* The peer's FIN came, in sequence. */
static __always_inline int exa_fin_came(const struct sock* sk) {
  return (sk->__sk_common.skc_flags & (1ul << SOCK_DONE)) != 0;
}

/* The sequence number behind the last byte that the process has read. A FIN has a number too, and
 * the read that takes up the last bytes may take it up with them. */
static __always_inline __u32 exa_read_up_to(const struct sock* sk, const struct tcp_sock* tcp) {
  const __u32 copied = tcp->copied_seq;
  const __u64 left = tcp->rcv_nxt - copied;
  __u64 fin = sk->__sk_common.skc_flags >> SOCK_DONE & 1;
  fin &= (left - 1) >> 63; /* without a branch, which would double the verifier's work */
  return copied - (__u32)fin;
}

/* Bytes that came and that the process has not read. */
static __always_inline __u32 exa_unread(const struct sock* sk, const struct tcp_sock* tcp) {
  return tcp->rcv_nxt - exa_read_up_to(sk, tcp) - (exa_fin_came(sk) ? 1 : 0);
}

/* The peer has closed, and the process has every byte of it; whether it saw the end of file makes
 * no difference to what it was given. */
static __always_inline int exa_read_to_the_end(const struct sock* sk, const struct tcp_sock* tcp) {
  return exa_fin_came(sk) && exa_unread(sk, tcp) == 0;
}

/* What the next call of a direction begins with: told at the socket's first bytes, which begin with
 * sequence, so that an end can be compared with it before that direction has moved any. */
static __always_inline void exa_expect(struct exa_socket_state* state, const struct sock* sk,
                                       const struct tcp_sock* tcp, int direction, __u32 sequence) {
  state->flow[EXA_INGRESS].next_sequence = exa_read_up_to(sk, tcp);
  state->flow[EXA_EGRESS].next_sequence = tcp->write_seq;
  state->connection_number = sequence + state->flow[direction == EXA_INGRESS].next_sequence;
}

/* Bytes that TCP has moved while no call has told of them yet: a call is under way. A FIN takes a
 * sequence number too. */
static __always_inline int exa_call_under_way(const struct exa_socket_state* state,
                                              const struct sock* sk, const struct tcp_sock* tcp,
                                              int fin_sent) {
  const __u32 sent = tcp->write_seq - state->flow[EXA_EGRESS].next_sequence;
  return sent > (__u32)fin_sent ||
         exa_read_up_to(sk, tcp) != state->flow[EXA_INGRESS].next_sequence;
}

/* No call will tell of what was read by now: splice does not. The end does; not when, only how
 * much. */
static __always_inline void exa_catch_up(struct exa_socket_state* state, const struct sock* sk,
                                         const struct tcp_sock* tcp) {
  struct exa_flow* flow = &state->flow[EXA_INGRESS];
  const __u32 unseen = exa_read_up_to(sk, tcp) - flow->next_sequence;
  if (!state->tgid || -unseen <= EXA_SEQUENCE_RACE_BYTES) return;
  flow->position += unseen;
  flow->next_sequence += unseen;
  state->run.last = 0;
}

/* Both directions are over. */
static __always_inline __u32 exa_final(const struct sock* sk, const struct tcp_sock* tcp) {
  return EXA_END_EGRESS | EXA_END_FINAL | (exa_read_to_the_end(sk, tcp) ? EXA_END_INGRESS : 0);
}

/* The socket had ended before this call told of its bytes: on loopback the peer's reset is taken up
 * inside the send that it answers. The end then comes now, behind the chunk; one that was told too
 * early is told again, or the chunk would stand for a connection that never ends. */
static __noinline int exa_end_after_chunk(struct sock* sk, struct exa_socket_state* state,
                                          struct tcp_sock* tcp) {
  if (!sk || !state || !tcp) return 0;
  if (exa_unread(sk, tcp)) return 0; /* the process may still read */
  if (!state->socket_error) state->socket_error = sk->sk_err;
  __sync_fetch_and_and(&state->flags, ~(__u32)EXA_SOCKET_ENDED);
  return exa_emit_end(state, exa_final(sk, tcp), state->socket_error);
}

#endif
