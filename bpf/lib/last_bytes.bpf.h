/* The last bytes of a chunk, from where they lie in the process. */
#ifndef EXA_BPF_LIB_LAST_BYTES_BPF_H
#define EXA_BPF_LIB_LAST_BYTES_BPF_H

#include "bpf/lib/last_bytes.h"
#include "bpf/lib/user_buffer.bpf.h"

/* Looks at the last bytes of a chunk of which the first ones were copied, so that its segments are
 * at hand. True if they end a chunked body. */
__noinline int exa_look_at_last(struct exa_socket_state* state, const struct exa_source* source,
                                struct exa_scratch* scratch, __u32 length) {
  __u64 address, word = 0, before = 0;
  __u32 used = length, bytes, segment = 0;

  if (!state || !source || !scratch) return 0;
  address = source->address;
  if (source->segments) {
    int found = 0;
    for (__u32 i = 0; i < EXA_MAX_SEGMENTS; ++i) {
      if (i >= source->segments) break;
      if (scratch->segment[i].size_bytes >= used) {
        segment = i;
        found = 1;
        break;
      }
      used -= scratch->segment[i].size_bytes;
    }
    if (!found) goto unknown;
    address = scratch->segment[segment & (EXA_MAX_SEGMENTS - 1)].address;
  }
  bytes = used < 8 ? used : 8;
  if (bpf_probe_read_user(&word, bytes, (void*)(address + used - bytes))) goto unknown;
  /* node and nginx write the end of a body as a segment of its own. */
  if (bytes < 8 && segment > 0) {
    const struct exa_segment* earlier = &scratch->segment[(segment - 1) & (EXA_MAX_SEGMENTS - 1)];
    __u32 more = 8 - bytes;
    if (earlier->size_bytes < more) more = earlier->size_bytes;
    barrier_var(
        more); /* or the compiler leaves out the mask, of which Linux 6.12 learns the bound */
    more &= 7;
    if (more) {
      if (bpf_probe_read_user(&before, more,
                              (void*)(earlier->address + earlier->size_bytes - more)))
        goto unknown;
      word = before | word << (8 * more);
      bytes += more;
    }
  }
  return exa_note_last(&state->run, word, bytes, length);
unknown:
  state->run.last = 0;
  return 0;
}

#endif
