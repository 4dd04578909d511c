/* What can be said of sockets that are not TCP's, of which no byte is read. */
#ifndef EXA_BPF_LIB_OTHER_SOCKETS_H
#define EXA_BPF_LIB_OTHER_SOCKETS_H

#include "bpf/lib/connection_kinds.bpf.h"
#include "bpf/maps/sockets.bpf.h"

/* HTTP/3 has its well-known port; more of it cannot be told without its keys. A process that asked
 * for MPTCP holds a socket of that kind whatever its peer speaks; one that only listens so is given
 * plain ones by plain peers. */
static __noinline int exa_count_other_socket(struct sock* sk) {
  const struct exa_verdict* verdict;
  struct exa_socket_state* state;
  struct task_struct* task;
  __u16 local, remote;
  int mptcp;

  if (!sk) return 0;
  mptcp = sk->sk_protocol == IPPROTO_MPTCP;
  if (!mptcp && sk->sk_protocol != IPPROTO_UDP) return 0;
  if (sk->__sk_common.skc_family != AF_INET && sk->__sk_common.skc_family != AF_INET6) return 0;
  local = sk->__sk_common.skc_num;
  remote = bpf_ntohs(sk->__sk_common.skc_dport);
  if (!mptcp && local != EXA_HTTP3_PORT && remote != EXA_HTTP3_PORT) return 0;
  task = bpf_get_current_task_btf();
  if ((task->flags & PF_KTHREAD) || !exa_tgid(task) || exa_is_excluded_port(local, remote))
    return 0;
  verdict = bpf_task_storage_get(&exa_verdicts, task->group_leader, 0, 0);
  if (verdict && verdict->verdict == EXA_PROCESS_EXCLUDED) return 0;
  state = bpf_sk_storage_get(&exa_sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
  return exa_count_once(state, mptcp ? EXA_KIND_MPTCP : EXA_KIND_HTTP3);
}

#endif
