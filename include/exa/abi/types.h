/* Fixed-width names and the size check that every shared struct carries. In BPF programs the
 * __uN types come from bpf/lib/kernel_types.bpf.h, on the host from <linux/types.h>. */
#ifndef EXA_ABI_TYPES_H
#define EXA_ABI_TYPES_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* libbpf's headers have it too, and put theirs in its place. */
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#ifdef __cplusplus
#define EXA_ASSERT_SIZE(type, size) static_assert(sizeof(type) == (size), #type " changed size")
#else
#define EXA_ASSERT_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type " changed size")
#endif

#endif
