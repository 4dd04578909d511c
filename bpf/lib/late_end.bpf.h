/* The end of a socket whose last call has not told of its bytes yet. */
#ifndef EXA_BPF_LIB_LATE_END_H
#define EXA_BPF_LIB_LATE_END_H

#include "bpf/lib/records.bpf.h"
#include "bpf/lib/socket_state.h"

/* What the next call of a direction begins with: told at the socket's first bytes, so that an end
 * can be compared with it before that direction has moved any. */
static __always_inline void exa_expect(struct exa_socket_state* state, const struct tcp_sock* tcp) {
  state->flow[EXA_INGRESS].next_sequence = tcp->copied_seq;
  state->flow[EXA_EGRESS].next_sequence = tcp->write_seq;
}

/* Bytes that TCP has moved while no call has told of them yet: a call is under way. A FIN takes a
 * sequence number too. */
static __always_inline int exa_call_under_way(const struct exa_socket_state* state,
                                              const struct tcp_sock* tcp, int fin_sent) {
  const __u32 sent = tcp->write_seq - state->flow[EXA_EGRESS].next_sequence;
  const __u32 received = tcp->copied_seq - state->flow[EXA_INGRESS].next_sequence;

  return sent > (__u32)fin_sent || received > 1;
}

/* The socket had ended before this call told of its bytes: on loopback the peer's reset is taken up
 * inside the send that it answers. The end then comes now, behind the chunk; one that was told too
 * early is told again, or the chunk would stand for a connection that never ends. */
static __noinline int exa_end_after_chunk(struct sock* sk, struct exa_socket_state* state,
                                          struct tcp_sock* tcp) {
  if (!sk || !state || !tcp) return 0;
  if (tcp->rcv_nxt != tcp->copied_seq) return 0; /* the process may still read */
  if (!state->socket_error) state->socket_error = sk->sk_err;
  __sync_fetch_and_and(&state->flags, ~(__u32)EXA_SOCKET_ENDED);
  return exa_emit_end(state, EXA_END_INGRESS | EXA_END_EGRESS | EXA_END_FINAL, state->socket_error);
}

#endif
