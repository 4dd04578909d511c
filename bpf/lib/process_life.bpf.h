/* What ends with a program: an exec puts another one into its process, the last thread's exit ends
 * the process itself. */
#ifndef EXA_BPF_LIB_PROCESS_LIFE_H
#define EXA_BPF_LIB_PROCESS_LIFE_H

#include "bpf/lib/process.bpf.h"
#include "bpf/lib/records.bpf.h"
#include "bpf/maps/connection_kinds.bpf.h"

/* Another program in the same process: judged and announced anew at its next I/O. Its verdict is
 * taken away, not overwritten, so that a verdict about the program before it, if one is on its
 * way, finds no entry to change. */
static __always_inline int exa_process_became_another(struct task_struct* task, __u32 tgid) {
  struct exa_process_state* process;
  struct exa_verdict* verdict;

  verdict = bpf_task_storage_get(&exa_verdicts, task->group_leader, 0, 0);
  process = bpf_task_storage_get(&exa_processes, task->group_leader, 0, 0);
  if (process) {
    process->told = 0;
    process->tls_read = 0;
  }
  bpf_map_delete_elem(&exa_kinds, &tgid);
  if (verdict && !verdict->through_exec) {
    verdict->verdict = EXA_PROCESS_UNJUDGED;
    bpf_task_storage_delete(&exa_verdicts, task->group_leader);
  }
  if (process || verdict) __sync_fetch_and_add(&exa_generation, 1);
  return 0;
}

/* Tells of the process when its last thread goes. */
static __always_inline int exa_thread_exited(struct task_struct* task) {
  struct exa_event_header event = {};
  struct exa_process_state* process;
  struct exa_counter_row* row;
  const __u32 tgid = exa_tgid(task);

  if (task->signal->live.counter > 0) return 0;
  bpf_map_delete_elem(&exa_kinds, &tgid);
  process = bpf_task_storage_get(&exa_processes, task->group_leader, 0, 0);
  if (!process || process->ended) return 0;
  process->ended = 1;
  __sync_fetch_and_add(&exa_generation, 1);
  row = exa_counters_of_this_cpu();
  if (!row) return 0;
  exa_fill_header(&event, EXA_EVENT_PROCESS_EXIT, sizeof(event), bpf_ktime_get_ns(), 0, tgid);
  if (bpf_ringbuf_output(&exa_control, &event, sizeof(event), 0))
    EXA_COUNT_SHARED(row, CONTROL_RING_FULL);
  else
    EXA_COUNT_SHARED(row, CONTROL_WRITTEN);
  if (exa_events_output(&event, sizeof(event), BPF_RB_NO_WAKEUP))
    EXA_COUNT_SHARED(row, DROPPED_PROCESS_RING_FULL);
  else
    EXA_COUNT_SHARED(row, EMITTED_PROCESS_EXIT);
  return 0;
}

#endif
