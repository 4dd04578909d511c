/* The first rung of capture: every TCP byte that a process reads or writes is seen where the socket
 * layer reports the length of a finished call, in the context of the task that made it. */
#include "bpf/lib/kernel_types.bpf.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/lib/lifecycle.bpf.h"
#include "bpf/lib/on_chunk.bpf.h"

enum { EXA_NOT_OF_STREAM = MSG_PEEK | MSG_ERRQUEUE | MSG_OOB };

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
  return exa_on_chunk(sk, row, result, EXA_EGRESS, flags, 0);
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
  return exa_on_chunk(sk, row, result, EXA_INGRESS, flags, 0);
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
  return exa_on_chunk(sk, row, result, direction, flags, number);
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

char LICENSE[] SEC("license") = "Dual BSD/GPL";
