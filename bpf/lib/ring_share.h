/* How much of a data ring one process may take while the ring is crowded. Pure: also compiled into
 * the unit tests.
 *
 * A ring below its mark belongs to everybody. Above it, a process may write, in the time in which
 * the reader reads a quarter of the ring, at most as much as is still free, and the less of that
 * the less is free. Whoever wrote much is so refused before whoever wrote little. The first noisy
 * process leaves three tenths of the ring, the tenth a twentieth: were it not for the second rule
 * the free part would halve with each, and a handful would leave nothing to the rest. Whoever wrote
 * nothing yet is never refused while there is room. */
#ifndef EXA_BPF_LIB_RING_SHARE_H
#define EXA_BPF_LIB_RING_SHARE_H

#include "exa/abi/types.h"

enum {
  EXA_RING_MARK_PARTS = 2, /* crowded: more than half of it is unread */
  EXA_RING_PERIODS = 4,    /* counting begins anew with each quarter that was read */
  EXA_RING_LOOKS = 64,     /* below the mark its fill is looked at each 64th of it */
};

/* What a process wrote into one ring since counting began. */
struct exa_ring_share {
  __u32 period;
  __u32 bytes;
};

static __always_inline int exa_ring_is_crowded(__u64 unread_bytes, __u32 ring_bytes) {
  return unread_bytes > ring_bytes / EXA_RING_MARK_PARTS;
}

/* Asked above the mark only. consumed_bytes: position of the reader. */
static __always_inline int exa_ring_share_grants(struct exa_ring_share* share, __u32 ring_bytes,
                                                 __u64 consumed_bytes, __u64 unread_bytes,
                                                 __u32 size_bytes) {
  const __u32 period = consumed_bytes / (ring_bytes / EXA_RING_PERIODS);
  const __u64 free_bytes = unread_bytes < ring_bytes ? ring_bytes - unread_bytes : 0;
  __u64 limit_bytes;

  if (share->period != period) {
    share->period = period;
    share->bytes = 0;
  }
  if (size_bytes > free_bytes) return 1; /* full, for whoever it is: the ring says so */
  limit_bytes = free_bytes * free_bytes / (ring_bytes - ring_bytes / EXA_RING_MARK_PARTS);
  if (share->bytes && (__u64)share->bytes + size_bytes > limit_bytes) return 0;
  share->bytes += size_bytes;
  return 1;
}

#endif
