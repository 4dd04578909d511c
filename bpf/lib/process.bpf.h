/* Who does the I/O: is the process observed, and has the ring heard of it. */
#ifndef EXA_BPF_LIB_PROCESS_H
#define EXA_BPF_LIB_PROCESS_H

#include "bpf/lib/pid_namespace.bpf.h"
#include "bpf/lib/records.bpf.h"
#include "bpf/maps/processes.bpf.h"
#include "exa/abi/config.h"

extern const volatile struct exa_capture_config exa_config;

/* Raised whenever a verdict changes or a process entry goes: judgements cached in socket states are
 * then made anew. Written by the prober and by the exec program. */
volatile __u32 exa_generation = 1;

static __noinline int exa_announce_process(struct task_struct* task, struct exa_counter_row* row,
                                           __u64 now) {
  struct exa_process_event event = {};

  if (!task || !row) return 0;
  exa_fill_header(&event.header, EXA_EVENT_PROCESS, sizeof(event), now, 0, exa_tgid(task));
  event.start_time_ns = task->group_leader->start_boottime;
  event.cgroup_id = bpf_get_current_cgroup_id();
  event.parent_tgid = exa_tgid(task->real_parent);
  event.uid = (__u32)bpf_get_current_uid_gid();
  bpf_probe_read_kernel_str(event.comm, sizeof(event.comm), task->group_leader->comm);
  bpf_probe_read_kernel_str(event.exe_name, sizeof(event.exe_name),
                            task->mm->exe_file->f_path.dentry->d_name.name);
  if (bpf_ringbuf_output(&exa_control, &event, sizeof(event), 0))
    EXA_COUNT_SHARED(row, CONTROL_RING_FULL);
  else
    EXA_COUNT_SHARED(row, CONTROL_WRITTEN);
  if (exa_events_output(&event, sizeof(event), BPF_RB_NO_WAKEUP))
    EXA_COUNT_SHARED(row, DROPPED_PROCESS_RING_FULL);
  else
    EXA_COUNT_SHARED(row, EMITTED_PROCESS);
  return 0;
}

static __always_inline int exa_is_excluded_port(__u16 local, __u16 remote) {
  int included = exa_config.included_port_count == 0;
  for (__u32 i = 0; i < EXA_MAX_PORTS; ++i) {
    if (i >= exa_config.included_port_count) break;
    if (exa_config.included_ports[i] == local || exa_config.included_ports[i] == remote)
      included = 1;
  }
  for (__u32 i = 0; i < EXA_MAX_PORTS; ++i) {
    if (i >= exa_config.excluded_port_count) break;
    if (exa_config.excluded_ports[i] == local || exa_config.excluded_ports[i] == remote) return 1;
  }
  return !included;
}

/* Judges the socket for its current process: at its first bytes, when another process takes it
 * over, and after verdicts changed. */
static __noinline int exa_judge(struct sock* sk, struct task_struct* task,
                                struct exa_socket_state* state, struct exa_counter_row* row,
                                __u64 now) {
  const __u32 generation = exa_generation;
  struct exa_process_state* known;
  __u32 flags = 0;
  __u32 tgid;

  if (!sk || !task || !state || !row) return 0;
  tgid = exa_tgid(task);
  if (!tgid) flags |= EXA_SOCKET_EXCLUDED_PROCESS;
  if (!sk->sk_socket || !sk->sk_socket->file) flags |= EXA_SOCKET_OF_KERNEL;
  if (exa_is_excluded_port(sk->__sk_common.skc_num, bpf_ntohs(sk->__sk_common.skc_dport)))
    flags |= EXA_SOCKET_EXCLUDED_PORT;
  if (!flags) {
    known = bpf_map_lookup_elem(&exa_processes, &tgid);
    if (known) {
      if (known->verdict == EXA_PROCESS_EXCLUDED) flags |= EXA_SOCKET_EXCLUDED_PROCESS;
    } else {
      struct exa_process_state fresh = {.start_time_ns = task->group_leader->start_boottime};
      const long status = bpf_map_update_elem(&exa_processes, &tgid, &fresh, BPF_NOEXIST);
      if (status == 0)
        exa_announce_process(task, row, now);
      else if (status != -EEXIST)
        EXA_COUNT(row, DROPPED_PROCESS_TABLE_FULL);
    }
  }
  __sync_fetch_and_and(&state->flags, ~(__u32)(EXA_SOCKET_OF_KERNEL | EXA_SOCKET_EXCLUDED_PORT |
                                               EXA_SOCKET_EXCLUDED_PROCESS));
  if (flags) __sync_fetch_and_or(&state->flags, flags);
  state->generation = generation;
  state->tgid = tgid;
  return 0;
}

#endif
