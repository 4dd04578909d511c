/* The SOCKET record of a TLS stream: the addresses of the socket it runs over, once they are known,
 * under the stream's own id. */
#ifndef EXA_BPF_LIB_TLS_RECORDS_H
#define EXA_BPF_LIB_TLS_RECORDS_H

#include "bpf/lib/records.bpf.h"
#include "bpf/lib/tls_stream.h"

/* first_sequence: TCP sequence number of the first byte that the stream wrote, where its chunk
 * could not carry it. */
static __noinline int exa_tls_announce(struct exa_tls_stream* stream, struct exa_counter_row* row,
                                       __u64 now, __u32 first_sequence) {
  struct exa_socket_event event = {};

  if (!stream || !row) return 0;
  exa_fill_header(&event.header, EXA_EVENT_SOCKET, sizeof(event), now, stream->state.cookie,
                  stream->state.tgid);
  event.family = stream->socket.family;
  event.local_port = stream->socket.local_port;
  event.remote_port = stream->socket.remote_port;
  event.netns_inode = stream->socket.netns_inode;
  event.first_sequence = first_sequence;
  __builtin_memcpy(event.local_address, stream->socket.local_address, 16);
  __builtin_memcpy(event.remote_address, stream->socket.remote_address, 16);
  if (exa_events_output(&event, sizeof(event), BPF_RB_NO_WAKEUP)) {
    EXA_COUNT_SHARED(row, DROPPED_SOCKET_RING_FULL);
    return 0;
  }
  EXA_COUNT_SHARED(row, EMITTED_SOCKET);
  stream->told_addresses = 1;
  return 1;
}

#endif
