/* The number of a thread: a tid is used again, and a thread that executes a program takes the tid
 * of its leader over. */
#ifndef EXA_BPF_LIB_THREAD_NUMBER_H
#define EXA_BPF_LIB_THREAD_NUMBER_H

#include "bpf/lib/kernel_types.bpf.h"
#include "exa/abi/sleep.h"

static __always_inline __u32 exa_thread_number(const struct task_struct* task) {
  const __u64 mixed = (task->start_boottime ^ task->self_exec_id << 32) * 0x9e3779b97f4a7c15ull;
  return (__u32)task->pid << EXA_THREAD_NUMBER_BITS | mixed >> (64 - EXA_THREAD_NUMBER_BITS);
}

#endif
