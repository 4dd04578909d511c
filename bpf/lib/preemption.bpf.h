/* Keeps a program on a probe from being preempted.
 *
 * The kernel may preempt a uprobe program, and since Linux 6.13 each of its functions that needs 64
 * bytes of stack or more has one stack per CPU. A thread that is preempted there finds its
 * variables overwritten by the next thread on that CPU, pointers among them: the kernel writes
 * where they point. The function's own prologue already picks the CPU's stack. So a uprobe program
 * holds no variables itself, only these two calls, and everything else lies in a function between
 * them that is not inlined.
 *
 * Linux 6.10 and newer have the two functions. Older kernels have no such stacks; a kernel with the
 * stacks and without the functions is refused before the programs are loaded
 * (FeatureId::kProbeGuard). */
#ifndef EXA_BPF_LIB_PREEMPTION_H
#define EXA_BPF_LIB_PREEMPTION_H

#include <bpf/bpf_helpers.h>

extern void bpf_preempt_disable(void) __weak __ksym;
extern void bpf_preempt_enable(void) __weak __ksym;

static __always_inline void exa_forbid_preemption(void) {
  if (bpf_preempt_disable) bpf_preempt_disable();
}

static __always_inline void exa_allow_preemption(void) {
  if (bpf_preempt_enable) bpf_preempt_enable();
}

#endif
