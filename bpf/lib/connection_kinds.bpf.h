/* Counts connections that are not read, or not as plain HTTP/1: silence would pass for no traffic.
 */
#ifndef EXA_BPF_LIB_CONNECTION_KINDS_H
#define EXA_BPF_LIB_CONNECTION_KINDS_H

#include "bpf/lib/process.bpf.h"
#include "bpf/lib/registers.bpf.h"
#include "bpf/lib/verified_once.h"
#include "bpf/maps/connection_kinds.bpf.h"

EXA_VERIFIED_ONCE int exa_count_connection(__u32 kind) {
  struct task_struct* task = bpf_get_current_task_btf();
  struct exa_connection_counts* counts;
  struct exa_connection_counts fresh = {};
  struct exa_counter_row* row;
  __u32 tgid;

  if (kind >= EXA_KIND_COUNT) return 0;
  tgid = exa_tgid(task);
  counts = bpf_map_lookup_elem(&exa_kinds, &tgid);
  if (!counts) {
    bpf_probe_read_kernel_str(fresh.comm, sizeof(fresh.comm), task->group_leader->comm);
    bpf_map_update_elem(&exa_kinds, &tgid, &fresh, BPF_NOEXIST);
    counts = bpf_map_lookup_elem(&exa_kinds, &tgid);
  }
  if (counts) __sync_fetch_and_add(&counts->connections[kind], 1);
  row = exa_counters_of_this_cpu();
  if (row) __sync_fetch_and_add(&row->value[EXA_COUNTER_CONNECTIONS_TLS + kind], 1);
  return 0;
}

/* Once a connection, whatever else is found out about it later. */
EXA_VERIFIED_ONCE int exa_count_once(struct exa_socket_state* state, __u32 kind) {
  if (!state) return 0;
  if (__sync_fetch_and_or(&state->flags, EXA_SOCKET_COUNTED) & EXA_SOCKET_COUNTED) return 0;
  return exa_count_connection(kind);
}

/* A message could begin in these bytes, and their buffer is out of reach. A splice of a connection
 * that is known moves a body, or is a tunnel. */
EXA_VERIFIED_ONCE int exa_count_out_of_reach(struct exa_socket_state* state, __u32 gap) {
  struct task_struct* task = bpf_get_current_task_btf();
  enum exa_mover mover;

  if (!state || (state->flags & EXA_SOCKET_COUNTED)) return 0;
  if (gap == EXA_GAP_COMPAT) return exa_count_once(state, EXA_KIND_COMPAT);
  if (gap != EXA_GAP_NO_BUFFER) return 0;
  mover = task->flags & (PF_IO_WORKER | PF_USER_WORKER)
              ? EXA_MOVED_BY_RING
              : exa_moved_by((const struct pt_regs*)bpf_task_pt_regs(task));
  if (mover == EXA_MOVED_BY_RING) return exa_count_once(state, EXA_KIND_IO_URING);
  if (mover == EXA_MOVED_BY_SPLICE && !(state->flags & EXA_SOCKET_RECOGNISED))
    return exa_count_once(state, EXA_KIND_SPLICED);
  return 0;
}

/* Plaintext of the process was seen: its TLS is read, at least some of it. */
EXA_VERIFIED_ONCE int exa_tls_is_read(void) {
  const struct exa_process_state* process =
      bpf_task_storage_get(&exa_processes, bpf_get_current_task_btf()->group_leader, 0, 0);
  return process && process->tls_read;
}

/* Without a branch, which the verifier would follow to the end of the program. */
static __always_inline void exa_count_ciphertext(struct exa_counter_row* row) {
  _Static_assert(EXA_COUNTER_FILTERED_TLS_UNREAD == EXA_COUNTER_FILTERED_TLS + 1, "beside it");
  row->value[EXA_COUNTER_FILTERED_TLS_UNREAD - (exa_tls_is_read() & 1)] += 1;
}

EXA_VERIFIED_ONCE int exa_tls_begins_to_be_read(void) {
  struct task_struct* task = bpf_get_current_task_btf();
  struct exa_process_state* process;

  process = bpf_task_storage_get(&exa_processes, task->group_leader, 0, 0);
  if (process) process->tls_read = 1;
  return exa_count_connection(EXA_KIND_TLS_READ);
}

#endif
