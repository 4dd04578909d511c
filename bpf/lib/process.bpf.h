/* Who does the I/O: is the process observed, and has the ring heard of it. */
#ifndef EXA_BPF_LIB_PROCESS_H
#define EXA_BPF_LIB_PROCESS_H

#include "bpf/lib/capture_config.bpf.h"
#include "bpf/lib/pid_namespace.bpf.h"
#include "bpf/lib/records.bpf.h"
#include "bpf/maps/processes.bpf.h"
#include "exa/abi/config.h"

/* Raised whenever a verdict changes, and when a process that did I/O ends or executes another
 * program: judgements cached in socket states are then made anew, also where the next owner of a
 * socket has the number of the one before. Written by the prober and by the exec and exit programs.
 */
volatile __u32 exa_generation = 1;

enum exa_announced {
  EXA_ANNOUNCED_TO_PIPELINE = 1,
  EXA_ANNOUNCED_TO_PROBER = 2,
};

static __noinline int exa_announce_process(struct task_struct* task, struct exa_counter_row* row,
                                           __u64 now) {
  struct exa_process_event event = {};

  if (!task || !row) return 0;
  exa_fill_header(&event.header, EXA_EVENT_PROCESS, sizeof(event), now, 0, exa_tgid(task));
  if (task->group_leader->flags & PF_FORKNOEXEC) event.header.flags = EXA_PROCESS_FORKED;
  event.start_time_ns = task->group_leader->start_boottime;
  event.cgroup_id = bpf_get_current_cgroup_id();
  event.parent_tgid = exa_tgid(task->real_parent);
  event.uid = (__u32)bpf_get_current_uid_gid();
  bpf_probe_read_kernel_str(event.comm, sizeof(event.comm), task->group_leader->comm);
  bpf_probe_read_kernel_str(event.exe_name, sizeof(event.exe_name),
                            task->mm->exe_file->f_path.dentry->d_name.name);
  /* The pipeline first: nobody is judged of whom it has not heard. */
  if (exa_events_output(&event, sizeof(event), BPF_RB_NO_WAKEUP)) {
    EXA_COUNT_SHARED(row, DROPPED_PROCESS_RING_FULL);
    return 0;
  }
  EXA_COUNT_SHARED(row, EMITTED_PROCESS);
  if (bpf_ringbuf_output(&exa_control, &event, sizeof(event), 0)) {
    EXA_COUNT_SHARED(row, CONTROL_RING_FULL);
    return EXA_ANNOUNCED_TO_PIPELINE;
  }
  EXA_COUNT_SHARED(row, CONTROL_WRITTEN);
  return EXA_ANNOUNCED_TO_PIPELINE | EXA_ANNOUNCED_TO_PROBER;
}

enum exa_process_standing {
  EXA_STANDING_OBSERVED, /* or not judged yet */
  EXA_STANDING_EXCLUDED,
  EXA_STANDING_TELL_AGAIN, /* observed, but the prober has not heard of it */
  EXA_STANDING_UNTOLD,     /* no record of it may go into the ring */
};

/* A process is announced at its first I/O, and again after it executed another program. */
static __noinline int exa_process_standing(struct task_struct* task, struct exa_counter_row* row,
                                           __u64 now) {
  struct exa_process_state* process;
  const struct exa_verdict* verdict;
  int announced;

  if (!task || !row) return EXA_STANDING_UNTOLD;
  verdict = bpf_task_storage_get(&exa_verdicts, task->group_leader, 0, 0);
  if (verdict && verdict->verdict == EXA_PROCESS_EXCLUDED) return EXA_STANDING_EXCLUDED;
  process =
      bpf_task_storage_get(&exa_processes, task->group_leader, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!process) /* of two CPUs that make it at once one gets nothing */
    process =
        bpf_task_storage_get(&exa_processes, task->group_leader, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!process) {
    EXA_COUNT_SHARED(row, DROPPED_PROCESS_NO_STATE);
    return EXA_STANDING_UNTOLD;
  }
  if (process->told || __sync_lock_test_and_set(&process->told, 1)) return EXA_STANDING_OBSERVED;
  announced = exa_announce_process(task, row, now);
  if (announced & EXA_ANNOUNCED_TO_PROBER) return EXA_STANDING_OBSERVED;
  process->told = 0;
  return announced ? EXA_STANDING_TELL_AGAIN : EXA_STANDING_UNTOLD;
}

/* A socket's ports were not noted: nothing is proven of its process any more, nor of others. */
volatile __u32 exa_ports_unnoted;

/* A TLS stream whose socket is not known runs over one of its process' sockets, each of which is
 * judged before plaintext passes. */
static __noinline int exa_note_ports(struct task_struct* task, __u32 ports) {
  struct exa_process_state* process;

  if (!task) return 0;
  process =
      bpf_task_storage_get(&exa_processes, task->group_leader, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!process)
    process =
        bpf_task_storage_get(&exa_processes, task->group_leader, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!process)
    exa_ports_unnoted = 1;
  else if (!(process->ports & ports))
    __sync_fetch_and_or(&process->ports, ports);
  return 0;
}

/* True if all its sockets are on observed ports, so that it does not matter which one it is. */
static __always_inline int exa_ports_are_proven(struct task_struct* task) {
  const struct exa_process_state* process;

  if (exa_ports_unnoted) return 0;
  process = bpf_task_storage_get(&exa_processes, task->group_leader, 0, 0);
  return process && process->ports == EXA_PORTS_ADMITTED;
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
 * over, and after verdicts changed. False if no record of it may go into the ring now. */
static __noinline int exa_judge(struct sock* sk, struct task_struct* task,
                                struct exa_socket_state* state, struct exa_counter_row* row,
                                __u64 now) {
  __u32 generation = exa_generation;
  int standing = EXA_STANDING_OBSERVED;
  __u32 flags = 0;
  __u32 tgid;

  if (!sk || !task || !state || !row) return 0;
  tgid = exa_tgid(task);
  if (!tgid) flags |= EXA_SOCKET_EXCLUDED_PROCESS;
  if (!sk->sk_socket || !sk->sk_socket->file) flags |= EXA_SOCKET_OF_KERNEL;
  const int has_ports = sk->__sk_common.skc_num != 0; /* a closed socket gives its own back */
  if (!has_ports)
    flags |= state->flags & EXA_SOCKET_EXCLUDED_PORT;
  else if (exa_is_excluded_port(sk->__sk_common.skc_num, bpf_ntohs(sk->__sk_common.skc_dport)))
    flags |= EXA_SOCKET_EXCLUDED_PORT;
  if (tgid && has_ports && exa_config.included_port_count + exa_config.excluded_port_count > 0)
    exa_note_ports(task,
                   flags & EXA_SOCKET_EXCLUDED_PORT ? EXA_PORTS_EXCLUDED : EXA_PORTS_ADMITTED);
  if (!flags) {
    standing = exa_process_standing(task, row, now);
    if (standing == EXA_STANDING_EXCLUDED) flags |= EXA_SOCKET_EXCLUDED_PROCESS;
    /* Judged again with the next bytes. */
    if (standing == EXA_STANDING_TELL_AGAIN || standing == EXA_STANDING_UNTOLD) --generation;
  }
  __sync_fetch_and_and(&state->flags, ~(__u32)(EXA_SOCKET_OF_KERNEL | EXA_SOCKET_EXCLUDED_PORT |
                                               EXA_SOCKET_EXCLUDED_PROCESS));
  if (flags) __sync_fetch_and_or(&state->flags, flags);
  state->generation = generation;
  state->tgid = tgid;
  return standing != EXA_STANDING_UNTOLD;
}

#endif
