/* Every counter of the BPF programs: one row, from which the enum, the per-CPU slot, the metric
 * and its description come. Identity, exact when no program is running:
 *   sum(HITS_*) = sum(FILTERED_*) + EMITTED_CHUNK + sum(DROPPED_CHUNK_*)
 * where HITS_* are calls of the two I/O programs. Records of the data ring: sum(EMITTED_*) =
 * records consumed. Records of the control ring: CONTROL_WRITTEN = records consumed there.
 *
 * Calls of TLS libraries have an identity of their own:
 *   sum(TLS_HITS_*) = sum(TLS_FILTERED_*) + EMITTED_TLS_CHUNK + sum(TLS_DROPPED_*)
 *
 * X(enumerator, group, reason, sentence): the metric is exemplar_agent_kernel_<group>_total with
 * the attribute reason="<reason>".
 */
#ifndef EXA_ABI_COUNTERS_H
#define EXA_ABI_COUNTERS_H

/* clang-format off */
#define EXA_KERNEL_COUNTERS(X)                                                                     \
  X(HITS_SEND, hits, send, "socket send calls seen")                                               \
  X(HITS_RECV, hits, recv, "socket receive calls seen")                                            \
  X(FILTERED_NOT_TCP, filtered, not_tcp, "not a TCP socket over IPv4 or IPv6")                     \
  X(FILTERED_EMPTY, filtered, empty, "call moved no bytes")                                        \
  X(FILTERED_PEEK, filtered, peek, "MSG_PEEK, MSG_ERRQUEUE, MSG_OOB: not of the byte stream")      \
  X(FILTERED_KERNEL, filtered, kernel, "I/O of a kernel thread, or of a socket of the kernel")     \
  X(FILTERED_PROCESS, filtered, process, "process excluded, the agent, or of another PID namespace") \
  X(FILTERED_PORT, filtered, port, "port excluded")                                                \
  X(FILTERED_IGNORED_SOCKET, filtered, ignored_socket, "socket speaks no known protocol")          \
  X(FILTERED_TLS, filtered, tls, "ciphertext of a TLS connection")                                 \
  X(FILTERED_BODY, filtered, body, "no message can begin here: only positions advance")            \
  X(EMITTED_CHUNK, emitted, chunk, "chunk records written")                                        \
  X(EMITTED_SOCKET, emitted, socket, "socket records written")                                     \
  X(EMITTED_POSITION, emitted, position, "position records written")                               \
  X(EMITTED_END, emitted, end, "end records written")                                              \
  X(EMITTED_PROCESS, emitted, process, "process records written")                                  \
  X(EMITTED_PROCESS_EXIT, emitted, process_exit, "process exit records written")                   \
  X(CONTROL_WRITTEN, control, written, "process records written to the control ring")              \
  X(CONTROL_RING_FULL, control, ring_full, "process record lost: control ring full")               \
  X(DROPPED_CHUNK_RING_FULL, dropped, chunk_ring_full, "chunk lost: ring buffer full")             \
  X(DROPPED_CHUNK_NO_STATE, dropped, chunk_no_state, "chunk lost: no memory for socket state")     \
  X(DROPPED_CHUNK_OVER_SHARE, dropped, chunk_over_share, "chunk left out: its process fills the ring") \
  X(DROPPED_CHUNK_UNTOLD, dropped, chunk_process_untold, "chunk lost: its process was not told")   \
  X(DROPPED_SOCKET_RING_FULL, lost, socket_ring_full, "socket record lost: ring buffer full")      \
  X(DROPPED_POSITION_RING_FULL, lost, position_ring_full, "position record lost: ring full")       \
  X(DROPPED_END_RING_FULL, lost, end_ring_full, "end record lost: ring buffer full")               \
  X(DROPPED_PROCESS_RING_FULL, lost, process_ring_full, "process record lost: ring full")          \
  X(DROPPED_PROCESS_NO_STATE, lost, process_no_state, "process not told: no memory for its state")   \
  X(READ_FAULT, capture, read_fault, "user buffer not readable: the chunk became a gap")           \
  X(SOCKETS_IGNORED, capture, socket_ignored, "sockets switched off: no protocol recognised")      \
  X(TLS_HITS_WRITE, tls_hits, write, "writes of TLS libraries seen")                               \
  X(TLS_HITS_READ, tls_hits, read, "returns from reads of TLS libraries seen")                     \
  X(TLS_FILTERED_EMPTY, tls_filtered, empty, "TLS call moved no bytes")                            \
  X(TLS_FILTERED_UNPAIRED, tls_filtered, unpaired, "TLS read that began before it was probed")     \
  X(TLS_FILTERED_RETRY, tls_filtered, retry, "TLS write repeated, its bytes were counted")         \
  X(TLS_FILTERED_PROCESS, tls_filtered, process, "TLS call of an excluded process")                \
  X(TLS_FILTERED_PORT, tls_filtered, port, "TLS call on an excluded port")                         \
  X(TLS_FILTERED_IGNORED, tls_filtered, ignored, "TLS stream speaks no known protocol")            \
  X(TLS_FILTERED_BODY, tls_filtered, body, "no message can begin here: positions advance")         \
  X(EMITTED_TLS_CHUNK, emitted, tls_chunk, "chunk records of TLS plaintext written")               \
  X(TLS_DROPPED_RING_FULL, tls_dropped, ring_full, "TLS chunk lost: ring buffer full")             \
  X(TLS_DROPPED_OVER_SHARE, tls_dropped, over_share, "TLS chunk left out: its process fills the ring") \
  X(TLS_DROPPED_NO_STATE, tls_dropped, no_state, "TLS chunk lost: stream table full")              \
  X(TLS_DROPPED_STREAM_SHARE, tls_dropped, stream_share, "TLS chunk lost: too many streams of its process") \
  X(TLS_DROPPED_SCRATCH_BUSY, tls_dropped, scratch_busy, "TLS chunk lost: no free scratch")        \
  X(TLS_SOCKET_NESTED, tls_sockets, nested, "TLS streams whose socket was seen inside a call")     \
  X(TLS_SOCKET_SEQUENCE, tls_sockets, sequence, "TLS streams matched to a socket by records")      \
  X(TLS_ADDRESS_KNOWN, tls_chunks, learned, "TLS chunks whose socket was known")                   \
  X(TLS_ADDRESS_UNKNOWN, tls_chunks, unknown, "TLS chunks before their socket was known")
/* clang-format on */

/* Programs for one direction of I/O, the first and its spares (see bpf/capture.bpf.c); and the rows
 * of the counter map, one shared and one for each of these programs. */
enum {
  EXA_IO_DIRECTIONS = 2,
  EXA_IO_PROGRAMS = 3,
  EXA_COUNTER_ROWS = 1 + EXA_IO_DIRECTIONS * EXA_IO_PROGRAMS,
};

enum exa_kernel_counter {
#define EXA_X(name, group, reason, sentence) EXA_COUNTER_##name,
  EXA_KERNEL_COUNTERS(EXA_X)
#undef EXA_X
      EXA_COUNTER_COUNT
};

#endif
