/* The walk along frames, reading from the process. */
#ifndef EXA_BPF_LIB_FRAMES_READ_H
#define EXA_BPF_LIB_FRAMES_READ_H

#include <bpf/bpf_helpers.h>

#define EXA_FRAME_READ(to, bytes, address) bpf_probe_read_user(to, bytes, (void*)(address))
#define EXA_FRAME_HIDE(value) barrier_var(value)
#include "bpf/lib/frame_walk.h"

#endif
