/* Which goroutine of a Go program is running: the register that holds it, at a probe or in a system
 * call. Of other programs any number. */
#ifndef EXA_BPF_LIB_GOROUTINE_H
#define EXA_BPF_LIB_GOROUTINE_H

#include <bpf/bpf_helpers.h>

#include "bpf/lib/kernel_types.bpf.h"

#if defined(__TARGET_ARCH_x86)
static __always_inline __u64 exa_goroutine(const struct pt_regs* regs) {
  return regs->r14;
}
#elif defined(__TARGET_ARCH_arm64)
static __always_inline __u64 exa_goroutine(const struct pt_regs* regs) {
  return regs->regs[28];
}
#endif

#endif
