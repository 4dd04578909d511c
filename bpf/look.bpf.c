/* Looks at threads that are in requests which take long, and tells what each does at the moment.
 * Run by whoever may, with a list of them; sees nothing else, and the threads notice nothing. */
#include "bpf/lib/kernel_types.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/lib/capture_config.bpf.h"
#include "bpf/lib/doing.bpf.h"
#include "bpf/lib/records.bpf.h"
#include "bpf/lib/thread_number.bpf.h"
#include "bpf/lib/verified_once.h"
#include "exa/abi/sleep.h"

extern struct task_struct* bpf_task_from_pid(__s32 pid) __ksym;
extern void bpf_task_release(struct task_struct* task) __ksym;

EXA_VERIFIED_ONCE int exa_look_at(__u32 thread) {
  struct exa_look_event event = {};
  struct exa_counter_row* row = exa_counters_of_this_cpu();
  struct task_struct* task;

  if (!thread || !row) return 0;
  task = bpf_task_from_pid(thread >> EXA_THREAD_NUMBER_BITS);
  if (!task) return 0;
  if (exa_thread_number(task) == thread) {
    event.thread = thread;
    event.doing = exa_doing_of(task);
  }
  bpf_task_release(task);
  if (!event.thread) return 0;
  exa_fill_header(&event.header, EXA_EVENT_LOOK, sizeof(event), bpf_ktime_get_ns(), 0, 0);
  if (exa_events_output(&event, sizeof(event), BPF_RB_NO_WAKEUP))
    EXA_COUNT_SHARED(row, DROPPED_LOOK_RING_FULL);
  else
    EXA_COUNT_SHARED(row, EMITTED_LOOK);
  return 0;
}

SEC("syscall")
int exa_look(struct exa_look_list* list) {
#pragma clang loop unroll(full)
  for (int i = 0; i < EXA_MOST_LOOKED_AT; ++i)
    exa_look_at(list->thread[i]);
  return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
