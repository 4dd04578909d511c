/* Every counter of the BPF programs: one row, from which the enum, the per-CPU slot, the metric
 * and its description come. Identity, exact when no program is running:
 *   sum(HITS_*) = sum(FILTERED_*) + EMITTED_CHUNK + sum(DROPPED_CHUNK_*)
 * where HITS_* are calls of the two I/O programs, and further records of one call. Records of the
 * data ring: sum(EMITTED_*) = records consumed. Records of the control ring: CONTROL_WRITTEN =
 * records consumed there.
 *
 * Calls of TLS libraries have an identity of their own:
 *   sum(TLS_HITS_*) = sum(TLS_FILTERED_*) + EMITTED_TLS_CHUNK + sum(TLS_DROPPED_*)
 *
 * X(enumerator, kind, group, reason, sentence): kind is a CounterKind of the model; the metric is
 * exemplar_agent_kernel_<group>_total with the attribute reason="<reason>".
 */
#ifndef EXA_ABI_COUNTERS_H
#define EXA_ABI_COUNTERS_H

/* clang-format off */
#define EXA_KERNEL_COUNTERS(X)                                                                     \
  X(HITS_SEND, kFlow, hits, send, "socket send calls seen")                                        \
  X(HITS_RECV, kFlow, hits, recv, "socket receive calls seen")                                     \
  X(HITS_FURTHER, kFlow, hits, further, "further records of a call, which hold 4 KiB each")        \
  X(FILTERED_NOT_TCP, kFlow, filtered, not_tcp, "not a TCP socket over IPv4 or IPv6")              \
  X(FILTERED_EMPTY, kFlow, filtered, empty, "call moved no bytes")                                 \
  X(FILTERED_PEEK, kFlow, filtered, peek, "MSG_PEEK, MSG_ERRQUEUE, MSG_OOB: not part of the byte stream") \
  X(FILTERED_KERNEL, kFlow, filtered, kernel, "I/O by a kernel thread, or on a kernel socket")     \
  X(FILTERED_PROCESS, kFlow, filtered, process, "process excluded, the agent itself, or in another PID namespace") \
  X(FILTERED_PORT, kFlow, filtered, port, "port excluded")                                         \
  X(FILTERED_IGNORED_SOCKET, kFlow, filtered, ignored_socket, "socket speaks no known protocol")   \
  X(FILTERED_TLS, kFlow, filtered, tls, "ciphertext of a process whose TLS is read")               \
  X(FILTERED_TLS_UNREAD, kFlow, filtered, tls_unread, "ciphertext of a process whose TLS has not been read yet") \
  X(FILTERED_BODY, kFlow, filtered, body, "no message can begin here: only positions advance")     \
  X(FILTERED_OUT_OF_STEP, kLoss, filtered, out_of_step, "HTTP/2 whose frame boundaries are unknown") \
  X(EMITTED_CHUNK, kFlow, emitted, chunk, "chunk records written")                                 \
  X(EMITTED_SOCKET, kFlow, emitted, socket, "socket records written")                              \
  X(EMITTED_POSITION, kFlow, emitted, position, "position records written")                        \
  X(EMITTED_END, kFlow, emitted, end, "end records written")                                       \
  X(EMITTED_LAST_CALL, kFlow, emitted, last_call, "facts of an answer's last call, written late")  \
  X(EMITTED_LOOK, kFlow, emitted, look, "what threads do in requests that take long")  \
  X(EMITTED_RESEND, kFlow, emitted, resend, "retransmitted segments of answers")            \
  X(EMITTED_DELIVERED, kFlow, emitted, delivered, "parts of answers that were acknowledged late")  \
  X(EMITTED_SLEEPS, kFlow, emitted, sleeps, "what threads slept on between two calls")             \
  X(EMITTED_TABLE, kFlow, emitted, table, "HPACK dynamic tables of Go programs")      \
  X(EMITTED_PROCESS, kFlow, emitted, process, "process records written")                           \
  X(EMITTED_PROCESS_EXIT, kFlow, emitted, process_exit, "process exit records written")            \
  X(CONTROL_WRITTEN, kFlow, control, written, "process records written to the control ring")       \
  X(CONTROL_RING_FULL, kDegraded, control, ring_full, "process record lost: control ring full")    \
  X(DROPPED_CHUNK_RING_FULL, kLoss, dropped, chunk_ring_full, "chunk lost: ring buffer full")      \
  X(DROPPED_CHUNK_NO_STATE, kLoss, dropped, chunk_no_state, "chunk lost: no memory for socket state") \
  X(DROPPED_CHUNK_OVER_SHARE, kLoss, dropped, chunk_over_share, "chunk left out: its process fills the ring") \
  X(DROPPED_CHUNK_UNTOLD, kLoss, dropped, chunk_process_untold, "chunk lost: its process was not announced") \
  X(DROPPED_SOCKET_RING_FULL, kLoss, lost, socket_ring_full, "socket record lost: ring buffer full") \
  X(DROPPED_POSITION_RING_FULL, kLoss, lost, position_ring_full, "position record lost: ring full") \
  X(DROPPED_END_RING_FULL, kLoss, lost, end_ring_full, "end record lost: ring buffer full")        \
  X(DROPPED_LAST_CALL_RING_FULL, kDegraded, lost, last_call_ring_full, "facts of a last call lost: ring buffer full") \
  X(DROPPED_LOOK_RING_FULL, kDegraded, lost, look_ring_full, "thread sample lost: ring buffer full") \
  X(DROPPED_RESEND_RING_FULL, kDegraded, lost, resend_ring_full, "retransmission record lost: ring buffer full") \
  X(DROPPED_DELIVERED_RING_FULL, kDegraded, lost, delivered_ring_full, "late acknowledgement record lost: ring buffer full") \
  X(DROPPED_SLEEPS_RING_FULL, kDegraded, lost, sleeps_ring_full, "sleeps reported late: ring buffer full") \
  X(DROPPED_SLEEPS_OVER_SHARE, kDegraded, lost, sleeps_over_share, "sleeps reported late: their process fills the ring") \
  X(DROPPED_SLEEPS_NO_STATE, kDegraded, lost, sleeps_no_state, "sleeps not followed: no memory for their thread") \
  X(DROPPED_TABLE_RING_FULL, kDegraded, lost, table_ring_full, "table record lost: ring buffer full") \
  X(DROPPED_PROCESS_RING_FULL, kLoss, lost, process_ring_full, "process record lost: ring full")   \
  X(DROPPED_PROCESS_NO_STATE, kLoss, lost, process_no_state, "process not announced: no memory for its state") \
  X(READ_FAULT, kDegraded, capture, read_fault, "user buffer unreadable: the chunk became a gap")  \
  X(MOVED_NO_ROOM, kDegraded, capture, moved_no_room, "the end of a long body is reported late: no room to mark its socket") \
  X(SOCKETS_IGNORED, kFlow, capture, socket_ignored, "sockets switched off: no protocol recognised") \
  X(CONNECTIONS_TLS, kFlow, connections, tls, "TLS connections, read or not")                      \
  X(CONNECTIONS_TLS_READ, kFlow, connections, tls_read, "TLS connections whose plaintext was seen") \
  X(CONNECTIONS_HTTP2, kFlow, connections, http2, "not read: HTTP/2 in a tunnel") \
  X(CONNECTIONS_HTTP3, kFlow, connections, http3, "not read: UDP sockets on port 443")             \
  X(CONNECTIONS_IO_URING, kFlow, connections, io_uring, "not read: through io_uring")              \
  X(CONNECTIONS_SPLICED, kFlow, connections, spliced, "not read: spliced from the first byte")     \
  X(CONNECTIONS_COMPAT, kFlow, connections, compat, "not read: 32-bit program")                    \
  X(CONNECTIONS_MPTCP, kFlow, connections, mptcp, "not read: MPTCP")                               \
  X(CONNECTIONS_UNKNOWN, kFlow, connections, unknown, "no known protocol")                         \
  X(TLS_HITS_WRITE, kFlow, tls_hits, write, "TLS library writes seen")                             \
  X(TLS_HITS_READ, kFlow, tls_hits, read, "returns from TLS library reads seen")                   \
  X(TLS_HITS_FURTHER, kFlow, tls_hits, further, "further records of a call, which hold 4 KiB each") \
  X(TLS_FILTERED_EMPTY, kFlow, tls_filtered, empty, "TLS call moved no bytes")                     \
  X(TLS_FILTERED_UNPAIRED, kLoss, tls_filtered, unpaired, "TLS read that began before it was probed") \
  X(TLS_FILTERED_RETRY, kFlow, tls_filtered, retry, "TLS write repeated: its bytes were already counted") \
  X(TLS_FILTERED_PROCESS, kFlow, tls_filtered, process, "TLS call of an excluded process")         \
  X(TLS_FILTERED_PORT, kFlow, tls_filtered, port, "TLS call on an excluded port")                  \
  X(TLS_FILTERED_IGNORED, kFlow, tls_filtered, ignored, "TLS stream speaks no known protocol")     \
  X(TLS_FILTERED_BODY, kFlow, tls_filtered, body, "no message can begin here: positions advance")  \
  X(TLS_FILTERED_OUT_OF_STEP, kLoss, tls_filtered, out_of_step, "HTTP/2 whose frame boundaries are unknown") \
  X(EMITTED_TLS_CHUNK, kFlow, emitted, tls_chunk, "chunk records of TLS plaintext written")        \
  X(TLS_DROPPED_RING_FULL, kLoss, tls_dropped, ring_full, "TLS chunk lost: ring buffer full")      \
  X(TLS_DROPPED_OVER_SHARE, kLoss, tls_dropped, over_share, "TLS chunk left out: its process fills the ring") \
  X(TLS_DROPPED_NO_STATE, kLoss, tls_dropped, no_state, "TLS chunk lost: stream table full")       \
  X(TLS_DROPPED_STREAM_SHARE, kLoss, tls_dropped, stream_share, "TLS chunk lost: too many streams of its process") \
  X(TLS_DROPPED_SCRATCH_BUSY, kLoss, tls_dropped, scratch_busy, "TLS chunk lost: no free scratch buffer") \
  X(TLS_SOCKET_NESTED, kFlow, tls_sockets, nested, "TLS streams whose socket was seen inside a call") \
  X(TLS_SOCKET_SEQUENCE, kFlow, tls_sockets, sequence, "TLS streams matched to a socket by records") \
  X(TLS_ADDRESS_KNOWN, kFlow, tls_chunks, learned, "TLS chunks whose socket was known")            \
  X(TLS_ADDRESS_UNKNOWN, kFlow, tls_chunks, unknown, "TLS chunks before their socket was known")
/* clang-format on */

/* Programs for one direction of I/O, the first and its spares (see
 * bpf/capture_socket_length.bpf.c); and the rows of the counter map, one shared and one for each of
 * these programs. */
enum {
  EXA_IO_DIRECTIONS = 2,
  EXA_IO_PROGRAMS = 3,
  EXA_COUNTER_ROWS = 1 + EXA_IO_DIRECTIONS * EXA_IO_PROGRAMS,
};

enum exa_kernel_counter {
#define EXA_X(name, kind, group, reason, sentence) EXA_COUNTER_##name,
  EXA_KERNEL_COUNTERS(EXA_X)
#undef EXA_X
      EXA_COUNTER_COUNT
};

#endif
