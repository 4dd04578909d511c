/* Settings of the BPF programs, written into their read-only data before they are loaded, and the
 * values of maps that the prober writes. */
#ifndef EXA_ABI_CONFIG_H
#define EXA_ABI_CONFIG_H

#include "exa/abi/types.h"

enum { EXA_MAX_PORTS = 16, EXA_MAX_EVENT_RINGS = 8 };

struct exa_capture_config {
  __u32 capture_budget_bytes; /* captured at most per direction run, <= EXA_MAX_CAPTURE_BYTES */
  __u32 ignore_after_runs;    /* runs without a recognised protocol until a socket is ignored */
  __u32 retry_after_runs;     /* an ignored socket is looked at again after so many runs */
  __u32 wakeup_fill_bytes;    /* unread bytes of a data ring above which its reader is woken */
  __u32 event_ring_mask;      /* number of data rings - 1; a CPU writes to ring cpu & mask */
  __u32 pid_namespace_inode;  /* whose numbers processes have in records; 0: the host's */
  __u32 included_port_count;  /* 0: every port */
  __u32 excluded_port_count;
  __u16 included_ports[EXA_MAX_PORTS]; /* host order; the local or the remote port matches */
  __u16 excluded_ports[EXA_MAX_PORTS];
};
EXA_ASSERT_SIZE(struct exa_capture_config, 96);

enum exa_process_verdict {
  EXA_PROCESS_OBSERVED = 0, /* also the verdict of a process not yet judged: nothing is lost */
  EXA_PROCESS_EXCLUDED = 1,
};

/* Value of map exa_processes, key tgid. Written by the BPF programs at the first TCP I/O of a
 * process, the verdict by the prober; deleted when the process ends or executes another program.
 * Bounded; overflow is counted. */
struct exa_process_state {
  __u64 start_time_ns; /* 0: entered by the prober for good, exec does not end it */
  __u32 verdict;       /* exa_process_verdict */
  __u32 tls_seconds;   /* when TLS traffic was last told, in units of 2^30 ns */
};
EXA_ASSERT_SIZE(struct exa_process_state, 16);

#endif
