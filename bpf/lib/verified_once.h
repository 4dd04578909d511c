/* EXA_VERIFIED_ONCE makes a function global: the verifier then checks it once, by itself, and not
 * anew for each call and each way that led there. Programs on probes cannot have that
 * (EXA_NO_GLOBAL_FUNCTIONS): they forbid preemption, and until Linux 6.14 the verifier lets no
 * global function be called meanwhile. */
#ifndef EXA_BPF_LIB_VERIFIED_ONCE_H
#define EXA_BPF_LIB_VERIFIED_ONCE_H

#if !defined(__bpf__)
#define EXA_VERIFIED_ONCE static inline
#elif defined(EXA_NO_GLOBAL_FUNCTIONS)
#define EXA_VERIFIED_ONCE static __attribute__((noinline))
#else
#define EXA_VERIFIED_ONCE __attribute__((noinline))
#endif

#endif
