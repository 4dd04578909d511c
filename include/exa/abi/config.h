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
  __u32 event_ring_bytes;     /* of one data ring */
  __u32 pid_namespace_inode;  /* whose numbers processes have in records; 0: the host's */
  __u32 tick_ns;              /* length of a tick of the kernel */
  __u32 tick_ms_q20;          /* the same in milliseconds, times 2^20 */
  __u32 call_facts;           /* records tell the facts of the calls that moved their bytes */
  __u32 tell_sleeps;          /* and SLEEPS what their threads slept on, if those are followed */
  __u32 note_moved;           /* the sweep reads notes, not the storage of sockets */
  __u32 included_port_count;  /* 0: every port */
  __u32 excluded_port_count;
  __u16 included_ports[EXA_MAX_PORTS]; /* host order; the local or the remote port matches */
  __u16 excluded_ports[EXA_MAX_PORTS];
};
EXA_ASSERT_SIZE(struct exa_capture_config, 120);

enum exa_process_verdict {
  EXA_PROCESS_UNJUDGED = 0, /* its records go into the ring, and the pipeline holds them back */
  EXA_PROCESS_OBSERVED = 1,
  EXA_PROCESS_EXCLUDED = 2,
};

/* Value of map exa_verdicts, one a process, written by the prober through a pidfd. The kernel frees
 * it with the process, the exec program takes it away with the program that it was about. */
struct exa_verdict {
  __u32 verdict;      /* exa_process_verdict */
  __u32 through_exec; /* it holds for whatever the process executes */
};
EXA_ASSERT_SIZE(struct exa_verdict, 8);

enum exa_refused {
  EXA_REFUSED_CHUNK = 0,  /* a chunk: the process fills a data ring */
  EXA_REFUSED_STREAM = 1, /* a call of a TLS library: the process holds too many streams */
  EXA_REFUSED_KINDS = 2,
};

/* Value of map exa_noisy, key tgid: a process that wanted more than its share. */
struct exa_noisy_process {
  __u64 refused[EXA_REFUSED_KINDS];
  __u8 comm[16];
};
EXA_ASSERT_SIZE(struct exa_noisy_process, 32);

#endif
