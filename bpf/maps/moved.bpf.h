/* Sockets that moved on without a record, as they stood after that: for the sweep, where the
 * kernel's own iterator over socket storage is not safe. Written by the socket programs, one at a
 * time for a socket and direction; an element goes with its socket. */
#ifndef EXA_BPF_MAPS_MOVED_H
#define EXA_BPF_MAPS_MOVED_H

#include <bpf/bpf_helpers.h>

#include "bpf/lib/socket_state.h"

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1); /* sized by whoever wants it */
  __type(key, __u64);     /* cookie */
  __type(value, struct exa_socket_state);
} exa_moved SEC(".maps");

#endif
