/* Looks at threads that are in requests which take long, and tells what each does at the moment.
 * Run by whoever may, with a list of them; sees nothing else, and the threads notice nothing. */
#include "bpf/lib/kernel_types.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/lib/capture_config.bpf.h"
#include "bpf/lib/records.bpf.h"
#include "bpf/lib/sleep_calls.h"
#include "bpf/lib/thread_number.bpf.h"
#include "bpf/lib/verified_once.h"
#include "exa/abi/sleep.h"

extern struct task_struct* bpf_task_from_pid(__s32 pid) __ksym;
extern void bpf_task_release(struct task_struct* task) __ksym;

/* Of task->__state. */
enum { EXA_TASK_STOPPED = 0x4, EXA_TASK_TRACED = 0x8, EXA_TASK_FROZEN = 0x8000 };

#if defined(__TARGET_ARCH_arm64)
#define EXA_CALL_NUMBER(registers) BPF_CORE_READ(registers, syscallno)
#define EXA_FIRST_ARGUMENT(registers) BPF_CORE_READ(registers, orig_x0)
#define EXA_SECOND_ARGUMENT(registers) BPF_CORE_READ(registers, regs[1])
#define EXA_IN_COMPAT_CALL(task) ((task)->thread_info.flags & 1 << 22)
#else
#define EXA_CALL_NUMBER(registers) BPF_CORE_READ(registers, orig_ax)
#define EXA_FIRST_ARGUMENT(registers) BPF_CORE_READ(registers, di)
#define EXA_SECOND_ARGUMENT(registers) BPF_CORE_READ(registers, si)
#define EXA_IN_COMPAT_CALL(task) ((task)->thread_info.status & 2)
#endif

static __always_inline __u32 exa_doing_on_descriptor(const struct task_struct* task,
                                                     __u32 descriptor) {
  struct fdtable* table = BPF_CORE_READ(task, files, fdt);
  struct file* file = NULL;

  if (!table || descriptor >= BPF_CORE_READ(table, max_fds)) return EXA_DOING_OTHER;
  bpf_probe_read_kernel(&file, sizeof(file), BPF_CORE_READ(table, fd) + descriptor);
  return file ? exa_doing_on_file(BPF_CORE_READ(file, f_inode, i_mode)) : EXA_DOING_OTHER;
}

static __always_inline __u32 exa_doing_with(__u64 descriptors) {
  return (__u32)descriptors ? EXA_DOING_EVENTS : EXA_DOING_TIMER;
}

static __always_inline __u32 exa_doing_of(struct task_struct* task) {
  struct pt_regs* registers;
  __u32 doing;

  /* One that has just been woken slept until now: who looks is often woken by the same interrupt.
   */
  if (!task->__state && task->on_cpu) return EXA_DOING_RUN;
  if (task->__state & (EXA_TASK_STOPPED | EXA_TASK_TRACED | EXA_TASK_FROZEN)) return EXA_DOING_STOP;
  if (BPF_CORE_READ_BITFIELD(task, in_iowait)) return EXA_DOING_DISK;
  if (EXA_IN_COMPAT_CALL(task)) return EXA_DOING_OTHER; /* other numbers */
  registers = (struct pt_regs*)bpf_task_pt_regs(task);
  doing = exa_doing_in_call((long)EXA_CALL_NUMBER(registers));
  switch (doing) {
    case EXA_DOING_BY_FILE:
      return exa_doing_on_descriptor(task, EXA_FIRST_ARGUMENT(registers));
    case EXA_DOING_BY_FIRST:
      return exa_doing_with(EXA_FIRST_ARGUMENT(registers));
    case EXA_DOING_BY_SECOND:
      if ((__u32)EXA_SECOND_ARGUMENT(registers) == 1) return EXA_DOING_POLL_ONE;
      return exa_doing_with(EXA_SECOND_ARGUMENT(registers));
  }
  return doing;
}

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
