/* What a thread does at the moment, as its state and its system call tell. Takes no lock. */
#ifndef EXA_BPF_LIB_DOING_H
#define EXA_BPF_LIB_DOING_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/lib/kernel_types.bpf.h"
#include "bpf/lib/sleep_calls.h"
#include "exa/abi/sleep.h"

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

  /* One that has just been woken slept until now: whoever looks is often woken by the same
   * interrupt. */
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

#endif
