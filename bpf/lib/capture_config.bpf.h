/* The configuration of an object, set before it is loaded and constant from then on, so that the
 * verifier drops what cannot happen. Each object has its own. */
#ifndef EXA_BPF_LIB_CAPTURE_CONFIG_H
#define EXA_BPF_LIB_CAPTURE_CONFIG_H

#include "bpf/lib/kernel_types.bpf.h"
#include "exa/abi/config.h"
#include "exa/abi/event.h"

const volatile struct exa_capture_config exa_config = {
    .capture_budget_bytes = EXA_MAX_CAPTURE_BYTES,
    .ignore_after_runs = 16,
    .retry_after_runs = 1024,
    .wakeup_fill_bytes = 2 << 20,
    .event_ring_bytes = 8 << 20,
};

#endif
