/* The sweep without an iterator over socket storage: each call that moved bytes without a record
 * notes how its socket stands. */
#ifndef EXA_BPF_LIB_MOVED_H
#define EXA_BPF_LIB_MOVED_H

#include <bpf/bpf_helpers.h>

#include "bpf/lib/records.bpf.h"
#include "bpf/lib/socket_state.h"
#include "bpf/maps/counters.bpf.h"
#include "bpf/maps/moved.bpf.h"

/* In place, so that the sweep may read it meanwhile: as it would read the state itself. */
static __noinline int exa_note_moved(struct exa_socket_state* state, struct exa_counter_row* row) {
  struct exa_socket_state* noted;

  if (!state || !row) return 0;
  noted = bpf_map_lookup_elem(&exa_moved, &state->cookie);
  if (noted)
    *noted = *state;
  else if (bpf_map_update_elem(&exa_moved, &state->cookie, state, BPF_NOEXIST))
    EXA_COUNT(row, MOVED_NO_ROOM);
  return 0;
}

struct bpf_map;
static long exa_tell_moved(struct bpf_map* map, const __u64* cookie, struct exa_socket_state* noted,
                           void* nothing) {
  exa_tell_positions(noted);
  return 0;
}

SEC("syscall")
int exa_sweep_moved(void* context) {
  bpf_for_each_map_elem(&exa_moved, exa_tell_moved, NULL, 0);
  return 0;
}

#endif
