/* Settings of the BPF programs, written into their read-only data before they are loaded, and the
 * values of maps that the prober writes. */
#ifndef EXA_ABI_CONFIG_H
#define EXA_ABI_CONFIG_H

#include "exa/abi/types.h"

struct exa_capture_config {
  __u32 capture_budget_bytes; /* captured at most per direction run, <= EXA_MAX_CAPTURE_BYTES */
  __u32 ignore_after_runs;    /* runs without a recognised protocol until a socket is ignored */
  __u32 retry_after_runs;     /* an ignored socket is looked at again after so many runs */
  __u32 reserved;
};
EXA_ASSERT_SIZE(struct exa_capture_config, 16);

enum exa_process_verdict {
  EXA_PROCESS_OBSERVED = 0, /* also the verdict of a process not yet judged: nothing is lost */
  EXA_PROCESS_EXCLUDED = 1,
};

/* Value of map exa_processes, key tgid. Written by the BPF programs at the first TCP I/O of a
 * process, the verdict by the prober; deleted by the exit program. Bounded; overflow is counted. */
struct exa_process_state {
  __u64 start_time_ns;
  __u32 verdict; /* exa_process_verdict */
  __u32 reserved;
};
EXA_ASSERT_SIZE(struct exa_process_state, 16);

#endif
