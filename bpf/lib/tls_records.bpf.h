/* The socket under a TLS stream, and the record that tells its addresses, once they are known,
 * under the stream's own id. */
#ifndef EXA_BPF_LIB_TLS_RECORDS_H
#define EXA_BPF_LIB_TLS_RECORDS_H

#include "bpf/lib/records.bpf.h"
#include "bpf/lib/tls_stream.h"
#include "bpf/maps/sockets.bpf.h"

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
  if (stream->from_start) event.connection_number = stream->socket.connection_number;
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

static __always_inline void exa_tls_describe(struct sock* sk, struct exa_tls_socket* socket) {
  const struct exa_socket_state* state = bpf_sk_storage_get(&exa_sockets, sk, 0, 0);

  socket->cookie = bpf_get_socket_cookie(sk);
  socket->family = sk->__sk_common.skc_family;
  socket->local_port = sk->__sk_common.skc_num;
  socket->remote_port = bpf_ntohs(sk->__sk_common.skc_dport);
  socket->connection_number = state ? state->connection_number : 0;
  socket->connect_us =
      state && (state->flags & EXA_SOCKET_CONNECTED) ? state->connect_ns / 1000 : 0;
  if (socket->family == AF_INET) {
    __builtin_memset(socket->local_address, 0, 16);
    __builtin_memset(socket->remote_address, 0, 16);
    *(__u32*)socket->local_address = sk->__sk_common.skc_rcv_saddr;
    *(__u32*)socket->remote_address = sk->__sk_common.skc_daddr;
  } else {
    bpf_probe_read_kernel(socket->local_address, 16, &sk->__sk_common.skc_v6_rcv_saddr);
    bpf_probe_read_kernel(socket->remote_address, 16, &sk->__sk_common.skc_v6_daddr);
  }
}

/* The socket that stands in the stream is proven to be its own. */
static __noinline int exa_tls_adopt(struct exa_tls_stream* stream, __u32 provenance,
                                    __u32 first_sequence) {
  struct exa_counter_row* row = exa_counters_of_this_cpu();

  if (!stream || !row) return 0;
  stream->socket.provenance = provenance;
  stream->tells_leaving = stream->linked_cookie == stream->socket.cookie;
  stream->judged_socket = 0;
  stream->egress_known = 0;
  stream->ingress_pending = 0;
  if (provenance == EXA_TLS_NESTED)
    EXA_COUNT_SHARED(row, TLS_SOCKET_NESTED);
  else
    EXA_COUNT_SHARED(row, TLS_SOCKET_SEQUENCE);
  if ((stream->state.flags & (EXA_SOCKET_ANNOUNCED | EXA_SOCKET_ENDED)) == EXA_SOCKET_ANNOUNCED)
    exa_tls_announce(stream, row, bpf_ktime_get_ns(), first_sequence);
  return 1;
}

#endif
