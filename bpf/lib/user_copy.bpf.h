/* Copying the first bytes of a call out of the process. User memory is only ever read, with
 * bpf_probe_read_user. */
#ifndef EXA_BPF_LIB_USER_COPY_H
#define EXA_BPF_LIB_USER_COPY_H

#include <bpf/bpf_helpers.h>

#include "bpf/lib/scratch.bpf.h"
#include "bpf/lib/verified_once.h"

struct exa_source {
  __u64 address;  /* of the buffer, or of the array of segments */
  __u32 segments; /* 0: one buffer */
  __u32 gap;      /* exa_gap_reason if the bytes are out of reach */
};

struct exa_segment_copy {
  struct exa_scratch* scratch;
  __u32 wanted;
  __u32 copied;
  __u32 fault;
  __u32 reserved;
};

static long exa_copy_segment(__u32 index, struct exa_segment_copy* copy) {
  const struct exa_segment* segment = &copy->scratch->segment[index & (EXA_MAX_SEGMENTS - 1)];
  const __u32 left = copy->wanted - copy->copied;
  const __u64 size = segment->size_bytes < left ? segment->size_bytes : left;
  __u32 part = size & (2 * EXA_MAX_CAPTURE_BYTES - 1);

  if (part > EXA_MAX_CAPTURE_BYTES) part = EXA_MAX_CAPTURE_BYTES;
  if (bpf_probe_read_user(copy->scratch->payload + (copy->copied & (EXA_MAX_CAPTURE_BYTES - 1)),
                          part, (void*)segment->address)) {
    copy->fault = 1;
    return 1;
  }
  copy->copied += part;
  return copy->copied >= copy->wanted;
}

/* Copies segment by segment. Returns the bytes copied; less than asked for sets source->gap. */
EXA_VERIFIED_ONCE int exa_copy_segments(struct exa_source* source, struct exa_scratch* scratch,
                                        __u32 wanted) {
  struct exa_segment_copy copy = {.scratch = scratch, .wanted = wanted};
  __u32 count;

  if (!source || !scratch) return 0;
  count = source->segments > EXA_MAX_SEGMENTS ? EXA_MAX_SEGMENTS : source->segments;
  if (bpf_probe_read_user(scratch->segment, count * sizeof(struct exa_segment),
                          (void*)source->address)) {
    source->gap = EXA_GAP_READ_FAULT;
    return 0;
  }
  bpf_loop(count, exa_copy_segment, &copy, 0);
  if (copy.fault)
    source->gap = EXA_GAP_READ_FAULT;
  else if (copy.copied < wanted)
    source->gap = EXA_GAP_SEGMENTS;
  return copy.copied;
}

/* Copies the first wanted bytes, at most EXA_MAX_CAPTURE_BYTES, into the scratch payload. */
static __always_inline __u32 exa_copy(struct exa_source* source, struct exa_scratch* scratch,
                                      __u32 wanted) {
  if (wanted > EXA_MAX_CAPTURE_BYTES) wanted = EXA_MAX_CAPTURE_BYTES;
  if (source->segments) return exa_copy_segments(source, scratch, wanted);
  barrier_var(wanted); /* the bound is to be seen here, whatever the compiler knows */
  if (wanted > EXA_MAX_CAPTURE_BYTES) return 0;
  if (bpf_probe_read_user(scratch->payload, wanted, (void*)source->address)) {
    source->gap = EXA_GAP_READ_FAULT;
    return 0;
  }
  return wanted;
}

#endif
