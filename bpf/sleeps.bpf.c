/* Follows the sleeps of threads that move observed bytes, switch by switch: on what, and how long
 * until they were ready again. It runs with the lock of a run queue held, so it makes no entry,
 * writes no record and waits for nothing; of all other threads it sees that they have no entry. */
#include "bpf/lib/kernel_types.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/lib/doing.bpf.h"
#include "bpf/maps/sleeps.bpf.h"

static __always_inline void exa_leaves_cpu(struct task_struct* task, __u64 now) {
  struct exa_thread_sleeps* sleeps = bpf_task_storage_get(&exa_sleeps, task, 0, 0);

  if (!sleeps) return;
  exa_add_up_sleep(sleeps, task);
  sleeps->doing = EXA_DOING_RUN;
  /* One that is preempted on its way to sleep sleeps as well: the kernel does not count that as
   * waiting for a CPU. */
  if (!task->__state) return;
  sleeps->doing = exa_doing_of(task);
  sleeps->switches = task->nvcsw;
  sleeps->since_ns = now;
  /* Here, and not when it is on a CPU again: on its way from the queue of one to that of another
   * all that it has waited in the first is in there already. */
  if (bpf_core_field_exists(task->sched_info.run_delay))
    sleeps->run_delay_ns = task->sched_info.run_delay;
}

static __always_inline void exa_gets_cpu(struct task_struct* task, __u64 now) {
  struct exa_thread_sleeps* sleeps = bpf_task_storage_get(&exa_sleeps, task, 0, 0);

  /* A switch may have gone unseen: before this was attached or, until Linux 6.2, while this CPU was
   * in the storage of threads. */
  if (!sleeps || sleeps->doing == EXA_DOING_RUN || sleeps->switches != task->nvcsw) return;
  sleeps->until_ns = now;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(exa_cpu_switch, _Bool preempted, struct task_struct* previous,
             struct task_struct* next) {
  const __u64 now = bpf_ktime_get_ns();

  exa_leaves_cpu(previous, now);
  exa_gets_cpu(next, now);
  return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
