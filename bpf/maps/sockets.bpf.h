/* State of each TCP socket. Created at its first byte, freed by the kernel with the socket. */
#ifndef EXA_BPF_MAPS_SOCKETS_H
#define EXA_BPF_MAPS_SOCKETS_H

#include <bpf/bpf_helpers.h>

#include "bpf/lib/socket_state.h"

struct {
  __uint(type, BPF_MAP_TYPE_SK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct exa_socket_state);
} exa_sockets SEC(".maps");

#endif
