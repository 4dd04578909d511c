/* Counts connections that are not read, or not as plain HTTP/1: silence would pass for no traffic.
 */
#ifndef EXA_BPF_LIB_CONNECTION_KINDS_H
#define EXA_BPF_LIB_CONNECTION_KINDS_H

#include "bpf/lib/process.bpf.h"
#include "bpf/lib/registers.bpf.h"
#include "bpf/maps/connection_kinds.bpf.h"

static __noinline int exa_count_connection(struct task_struct* task, __u32 kind) {
  struct exa_connection_counts* counts;
  struct exa_connection_counts fresh = {};
  struct exa_counter_row* row;
  __u32 tgid;

  if (!task || kind >= EXA_KIND_COUNT) return 0;
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
static __noinline int exa_count_once(struct exa_socket_state* state, struct task_struct* task,
                                     __u32 kind) {
  if (!state || !task) return 0;
  if (__sync_fetch_and_or(&state->flags, EXA_SOCKET_COUNTED) & EXA_SOCKET_COUNTED) return 0;
  return exa_count_connection(task, kind);
}

/* A message could begin in these bytes, and their buffer is out of reach. A splice of a connection
 * that is known moves a body, or is a tunnel. */
static __noinline int exa_count_out_of_reach(struct exa_socket_state* state,
                                             struct task_struct* task, __u32 gap) {
  enum exa_mover mover;

  if (!state || !task || (state->flags & EXA_SOCKET_COUNTED)) return 0;
  if (gap == EXA_GAP_COMPAT) return exa_count_once(state, task, EXA_KIND_COMPAT);
  if (gap != EXA_GAP_NO_BUFFER) return 0;
  mover = task->flags & (PF_IO_WORKER | PF_USER_WORKER)
              ? EXA_MOVED_BY_RING
              : exa_moved_by((const struct pt_regs*)bpf_task_pt_regs(task));
  if (mover == EXA_MOVED_BY_RING) return exa_count_once(state, task, EXA_KIND_IO_URING);
  if (mover == EXA_MOVED_BY_SPLICE && !(state->flags & EXA_SOCKET_RECOGNISED))
    return exa_count_once(state, task, EXA_KIND_SPLICED);
  return 0;
}

/* Plaintext of the process was seen: its TLS is read, at least some of it. */
static __always_inline int exa_tls_is_read(struct task_struct* task) {
  const struct exa_process_state* process =
      bpf_task_storage_get(&exa_processes, task->group_leader, 0, 0);
  return process && process->tls_read;
}

static __noinline int exa_tls_begins_to_be_read(struct task_struct* task) {
  struct exa_process_state* process;

  if (!task) return 0;
  process = bpf_task_storage_get(&exa_processes, task->group_leader, 0, 0);
  if (process) process->tls_read = 1;
  return exa_count_connection(task, EXA_KIND_TLS_READ);
}

#endif
