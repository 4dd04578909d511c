/* Plaintext of TLS libraries: probes where a library takes what is to be encrypted and gives back
 * what it has decrypted. A write costs one breakpoint, a read two: where it begins and where it
 * returns. Nothing here touches a program's stack: the kernel's return probes would, and break
 * coroutines, exceptions and Go. One program stands on all places and asks the cookie which it is,
 * because each program on a file is a link of its own, and taking a link away makes the kernel
 * wait.
 *
 * A TLS connection has the same state as a plain socket and passes the same decisions; its records
 * are those of a socket with an id of its own. Loaded and attached apart from the socket programs,
 * whose maps it shares. Preemption is off in whatever the probes run: see lib/preemption.bpf.h. */
#define EXA_NO_GLOBAL_FUNCTIONS
#include "bpf/lib/kernel_types.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/lib/capture_config.bpf.h"
#include "bpf/lib/go_tables.bpf.h"
#include "bpf/lib/preemption.bpf.h"
#include "bpf/lib/process.bpf.h"
#include "bpf/lib/tls_plain.bpf.h"
#include "bpf/lib/tls_registers.bpf.h"
#include "bpf/maps/tls.bpf.h"
#include "bpf/maps/tls_parked.bpf.h"

/* Processes that did no TCP I/O so far are announced here. */
static __always_inline int exa_tls_is_excluded(struct task_struct* task,
                                               struct exa_counter_row* row, __u64 now) {
  return !exa_tgid(task) || exa_process_standing(task, row, now) == EXA_STANDING_EXCLUDED;
}

static __always_inline struct exa_tls_call* exa_tls_call_of(struct task_struct* task,
                                                            const struct pt_regs* regs, int shape,
                                                            int create) {
  if (shape == EXA_TLS_SHAPE_GO) {
    struct exa_tls_key key = {};
    exa_tls_key_of(&key, task, exa_goroutine(regs));
    struct exa_tls_call* call = bpf_map_lookup_elem(&exa_tls_gos, &key);
    if (call || !create || !exa_tls_may_hold(key.tgid, EXA_TLS_GOROUTINES)) return call;
    if (bpf_map_update_elem(&exa_tls_gos, &key, &exa_tls_no_call, BPF_NOEXIST) == 0)
      exa_tls_hold(key.tgid, EXA_TLS_GOROUTINES);
    return bpf_map_lookup_elem(&exa_tls_gos, &key);
  }
  return bpf_task_storage_get(&exa_tls_threads, task, 0,
                              create ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
}

/* Keeps the read that the thread's call tells of, if it is still under way, before another call
 * takes its place. */
static __always_inline void exa_tls_park(struct exa_tls_call* call, const struct pt_regs* regs) {
  struct exa_tls_key key = {};

  if (call->kind != EXA_TLS_READING || call->frame == exa_tls_stack(regs)) return;
  if (!exa_tls_is_on_stack(call, call->frame)) return; /* left by an exception, or the like */
  exa_tls_key_of(&key, bpf_get_current_task_btf(), call->frame);
  bpf_map_update_elem(&exa_tls_parked, &key, call, BPF_ANY);
}

/* The read that returns here. */
static __always_inline struct exa_tls_call* exa_tls_parked_call(const struct pt_regs* regs) {
  struct exa_tls_key key = {};
  struct exa_tls_call* call = 0;

  exa_tls_key_of(&key, bpf_get_current_task_btf(), 0);
  for (int i = 0; i < EXA_TLS_RETURN_STACKS && !call; ++i) {
    key.object = exa_tls_stack(regs) - i * sizeof(__u64);
    call = bpf_map_lookup_elem(&exa_tls_parked, &key);
  }
  return call;
}

/* A call of a library as it begins. */
struct exa_tls_entry {
  struct exa_tls_key key;
  __u64 buffer;
  __u64 size;
  __u64 moved_address;
  __u64 now;
  __u32 probe; /* exa_tls_probe */
  __u32 shape;
};

/* The thread, or the goroutine, is in this call now. One for a connection that has not read
 * anything yet may come right before its socket's first bytes. */
static __always_inline void exa_tls_enter_call(struct exa_tls_call* call,
                                               const struct exa_tls_stream* stream,
                                               const struct pt_regs* regs,
                                               const struct exa_tls_entry* entry, __u8 kind) {
  const __u64 object = entry->key.object;
  if (entry->shape != EXA_TLS_SHAPE_GO) exa_tls_park(call, regs);
  call->object = object;
  call->buffer = entry->buffer;
  call->moved_address = entry->moved_address;
  call->shape = entry->shape;
  call->kind = kind;
  exa_tls_mark_frame(call, regs);
  if (stream && (stream->socket.cookie || stream->candidate_cookie ||
                 stream->state.flow[EXA_INGRESS].position))
    return;
  if (call->opening_object && call->opening_object != object) call->opening_mixed = 1;
  call->opening_object = object;
}

/* A write as it begins: it moves what has not been written before. */
static __noinline struct exa_tls_stream* exa_tls_write(struct exa_tls_stream* stream,
                                                       struct exa_tls_call* call,
                                                       struct pt_regs* regs,
                                                       struct exa_counter_row* row,
                                                       const struct exa_tls_entry* entry) {
  struct exa_plain* plain;
  __u32 new_bytes;

  if (!stream || !regs || !row || !entry) return 0;
  const __u32 size = entry->size;
  stream->state.tgid = entry->key.tgid;
  stream->write.new_bytes = exa_tls_new_bytes(stream, entry->buffer, size);
  barrier(); /* back from memory it is any number to the verifier, whichever way it came */
  new_bytes = stream->write.new_bytes;
  if (new_bytes || size != stream->write.size_bytes) stream->write.sent_bytes = 0;
  stream->write.buffer = entry->buffer;
  stream->write.size_bytes = size;
  stream->write.blocked = 0;
  if (new_bytes) stream->write.proven = 0;
  if (call) {
    exa_tls_enter_call(call, stream, regs, entry, EXA_TLS_WRITING);
    if (stream->socket.cookie) {
      call->written_object = 0;
      call->written_mixed = 0;
    } else if (!call->written_object) {
      call->written_object = entry->key.object;
      call->written_bytes = size;
    } else if (call->written_object != entry->key.object) {
      call->written_mixed = 1;
    }
  }
  if (!new_bytes) {
    EXA_COUNT_SHARED(row, TLS_FILTERED_RETRY);
    return 0;
  }
  plain = &stream->moved[EXA_EGRESS];
  plain->now = entry->now;
  plain->buffer = entry->buffer + size - new_bytes;
  plain->length = new_bytes;
  plain->direction = EXA_EGRESS;
  return stream;
}

/* A read of Go that was under way before its probes: a client waits in one while it writes, and
 * would take each answer for that of the request before. Its arguments still lie above its return
 * address, where the convention has room for them and the compiler keeps them across calls (but for
 * the slice's capacity, which it does not need); that they do is told by an object on the heap and
 * a slice that can hold what was read. */
static __noinline struct exa_tls_call* exa_tls_call_from_stack(struct pt_regs* regs) {
  struct {
    __u64 object;
    __u64 buffer;
    __u64 length;
  } arguments = {};
  struct exa_tls_call* call;

  if (!regs) return 0;
  const __u64 moved = exa_tls_result(regs);
  if (bpf_probe_read_user(&arguments, sizeof(arguments),
                          (void*)(exa_tls_stack(regs) + sizeof(__u64))))
    return 0;
  if (!arguments.object || arguments.object % sizeof(__u64) || !arguments.buffer || !moved ||
      moved > arguments.length || arguments.length > 0x7fffffff)
    return 0;
  call = exa_tls_call_of(bpf_get_current_task_btf(), regs, EXA_TLS_SHAPE_GO, 1);
  if (!call) return 0;
  call->object = arguments.object;
  call->buffer = arguments.buffer;
  call->shape = EXA_TLS_SHAPE_GO;
  call->kind = EXA_TLS_READING;
  return call;
}

/* A read as it returns. */
static __noinline struct exa_tls_stream* exa_tls_read_return(struct pt_regs* regs, int shape) {
  struct task_struct* task = bpf_get_current_task_btf();
  struct exa_counter_row* row = exa_counters_of_this_cpu();
  struct exa_tls_key key = {};
  struct exa_tls_stream* stream;
  struct exa_tls_call* call;
  struct exa_plain* plain;
  __s64 moved;
  __u64 now;

  if (!row) return 0;
  EXA_COUNT_SHARED(row, TLS_HITS_READ);
  call = exa_tls_call_of(task, regs, shape, 0);
  if (shape != EXA_TLS_SHAPE_GO) {
    if (!call || call->kind != EXA_TLS_READING || !exa_tls_returns_from(call, regs))
      call = exa_tls_parked_call(regs);
    /* Functions that return here for several may have been called as another. */
    if (call) shape = call->shape;
  } else if (!call || call->kind != EXA_TLS_READING) {
    call = exa_tls_call_from_stack(regs);
  }
  if (!call || call->kind != EXA_TLS_READING) {
    EXA_COUNT_SHARED(row, TLS_FILTERED_UNPAIRED);
    return 0;
  }
  call->kind = EXA_TLS_IDLE;
  exa_tls_key_of(&key, task, call->object);
  moved = shape == EXA_TLS_SHAPE_GO ? (__s64)exa_tls_result(regs) : (int)exa_tls_result(regs);
  if ((shape == EXA_TLS_SHAPE_POINTER || shape == EXA_TLS_SHAPE_INNER) && moved > 0) {
    moved = 0;
    bpf_probe_read_user(&moved, sizeof(moved), (void*)call->moved_address);
  }
  if (moved <= 0 || moved > 0x7fffffff) {
    EXA_COUNT_SHARED(row, TLS_FILTERED_EMPTY);
    if (moved == 0 && (shape == EXA_TLS_SHAPE_SIZED || shape == EXA_TLS_SHAPE_INNER ||
                       (shape == EXA_TLS_SHAPE_GO && exa_tls_go_eof(regs)))) {
      stream = bpf_map_lookup_elem(&exa_tls_streams, &key);
      if (stream) exa_emit_end(&stream->state, EXA_END_INGRESS, 0);
    }
    return 0;
  }
  now = bpf_ktime_get_ns();
  if (exa_tls_is_excluded(task, row, now)) {
    EXA_COUNT_SHARED(row, TLS_FILTERED_PROCESS);
    return 0;
  }
  stream = exa_tls_stream_of(&key, now);
  if (!stream) {
    exa_tls_count_no_stream(&key, row);
    return 0;
  }
  stream->state.tgid = key.tgid; /* that of a call which was not seen as it began */
  if (call->received.cookie && shape != EXA_TLS_SHAPE_GO) {
    if (!stream->socket.cookie && !call->received_mixed &&
        exa_tls_carries(call->received_bytes, moved) &&
        exa_tls_weigh(stream, call->received.cookie)) {
      stream->socket = call->received;
      exa_tls_adopt(stream, EXA_TLS_SEQUENCE, 0);
    }
    call->received.cookie = 0;
    call->received_mixed = 0;
  }
  plain = &stream->moved[EXA_INGRESS];
  plain->now = now;
  plain->buffer = call->buffer;
  plain->length = moved;
  plain->direction = EXA_INGRESS;
  return stream;
}

/* Is this the first call of another connection than the object was so far? OpenSSL and BoringSSL
 * give it a role then. Go shakes hands once for each connection, by itself or inside its first read
 * or write: nothing else tells two apart that the collector puts in one place. Only for new keys
 * does a client shake hands again, in a read. */
static __always_inline int exa_tls_begins_anew(const struct exa_tls_stream* stream,
                                               const struct exa_tls_call* inside,
                                               const struct exa_tls_entry* entry) {
  const struct exa_flow* flow = stream->state.flow;
  const int go = entry->shape == EXA_TLS_SHAPE_GO;

  if (stream->state.flags & EXA_SOCKET_ENDED) return 1;
  if (entry->probe != EXA_TLS_PROBE_BEGIN && !(go && entry->probe == EXA_TLS_PROBE_HANDSHAKE))
    return 0;
  if (flow[EXA_INGRESS].position)
    return entry->probe == EXA_TLS_PROBE_BEGIN || !inside || inside->kind != EXA_TLS_READING;
  if (stream->socket.cookie) return 1;
  return flow[EXA_EGRESS].position && !(inside && inside->kind == EXA_TLS_WRITING &&
                                        flow[EXA_EGRESS].position == stream->write.size_bytes);
}

static __noinline int exa_tls_free(const struct exa_tls_key* key) {
  struct exa_tls_stream* stream;

  if (!key) return 0;
  stream = bpf_map_lookup_elem(&exa_tls_streams, key);
  if (!stream) return 0;
  /* What only passed memory may still be on its way; what a socket call did not take never leaves.
   */
  if (stream->socket.provenance != EXA_TLS_NESTED) exa_tls_all_left(stream);
  exa_emit_end(&stream->state, EXA_END_INGRESS | EXA_END_EGRESS | EXA_END_FINAL, 0);
  if (stream->socket.cookie && stream->from_start)
    bpf_map_update_elem(&exa_tls_remnants, &stream->socket.cookie, stream->state.flow, BPF_ANY);
  if (bpf_map_delete_elem(&exa_tls_streams, key) == 0) exa_tls_let_go(key->tgid, EXA_TLS_STREAMS);
  return 0;
}

/* The stream through which plaintext has passed, if any has. */
static __noinline struct exa_tls_stream* exa_tls_on_probe(struct pt_regs* regs) {
  struct task_struct* task = bpf_get_current_task_btf();
  struct exa_counter_row* row = exa_counters_of_this_cpu();
  const __u64 cookie = bpf_get_attach_cookie(regs);
  struct exa_tls_entry entry = {.probe = cookie >> 8, .shape = cookie & 0xff};
  struct exa_tls_stream* stream;
  struct exa_tls_call* call;
  struct exa_tls_call* inside = 0; /* the call of the same object that this one is part of */
  __u64 object;

  if (entry.probe == EXA_TLS_PROBE_READ_RETURN) return exa_tls_read_return(regs, entry.shape);
  if (!row) return 0;
  const int writes = entry.probe == EXA_TLS_PROBE_WRITE;
  const int go = entry.shape == EXA_TLS_SHAPE_GO;
  if (writes) EXA_COUNT_SHARED(row, TLS_HITS_WRITE);
  exa_tls_arguments(regs, entry.shape, &object, &entry.buffer, &entry.size, &entry.moved_address);
  if (writes && (entry.size == 0 || entry.size > 0x7fffffff)) {
    EXA_COUNT_SHARED(row, TLS_FILTERED_EMPTY);
    return 0;
  }
  exa_tls_key_of(&entry.key, task, object);
  if (entry.probe == EXA_TLS_PROBE_FREE) {
    call = exa_tls_call_of(task, regs, EXA_TLS_SHAPE_SIZED, 0);
    if (call && call->opening_object == object && !call->opening_mixed) call->opening_object = 0;
    exa_tls_free(&entry.key);
    return 0;
  }
  entry.now = bpf_ktime_get_ns();
  if (exa_tls_is_excluded(task, row, entry.now)) {
    if (writes) EXA_COUNT_SHARED(row, TLS_FILTERED_PROCESS);
    return 0;
  }

  call = exa_tls_call_of(task, regs, entry.shape, 1);
  if (call && go && call->object == object && call->kind != EXA_TLS_IDLE &&
      exa_tls_in_frame(call, regs))
    inside = call;
  const int shakes = entry.probe == EXA_TLS_PROBE_HANDSHAKE || entry.probe == EXA_TLS_PROBE_BEGIN;
  stream = bpf_map_lookup_elem(&exa_tls_streams, &entry.key);
  if (stream && exa_tls_begins_anew(stream, inside, &entry)) exa_tls_restart(stream, entry.now);
  /* That of a Go connection comes to be with the handshake's first bytes: one that does not run
   * over a socket of this goroutine (QUIC) needs none. */
  if (!stream && !(go && shakes)) stream = exa_tls_stream_of(&entry.key, entry.now);
  if (!stream && !shakes) {
    if (writes) exa_tls_count_no_stream(&entry.key, row);
    return 0;
  }
  if (writes) return exa_tls_write(stream, call, regs, row, &entry);
  if (!shakes) {
    /* It is there before the library reads the socket, so that the read proves its socket. What
     * came before the first plaintext were records of the handshake. */
    if (call) exa_tls_enter_call(call, stream, regs, &entry, EXA_TLS_READING);
    stream->state.tgid = entry.key.tgid;
    if (stream->state.flow[EXA_INGRESS].position == 0) stream->ingress_pending = 0;
    return 0;
  }
  /* The handshake proves the socket before the first plaintext. No return probe: as with a write,
   * its frame on the stack tells whether it goes on. */
  if (stream && !stream->state.flow[EXA_INGRESS].position &&
      (inside || !stream->state.flow[EXA_EGRESS].position)) {
    stream->from_start = 1;
    if (entry.probe == EXA_TLS_PROBE_HANDSHAKE && !go) stream->from_handshake = 1;
  }
  if (call && !inside && (go || entry.probe == EXA_TLS_PROBE_HANDSHAKE))
    exa_tls_enter_call(call, stream, regs, &entry, EXA_TLS_SHAKING);
  return 0;
}

/* What passed is looked at in one place, whichever way it came: the verifier follows that way only
 * once. So its direction is computed here, and not branched upon. */
static __noinline int exa_tls_look_at_call(struct pt_regs* regs) {
  struct exa_tls_stream* stream = exa_tls_on_probe(regs);
  struct exa_counter_row* row = exa_counters_of_this_cpu();

  _Static_assert((EXA_TLS_PROBE_WRITE >> 1 & 1) == EXA_EGRESS &&
                     (EXA_TLS_PROBE_READ_RETURN >> 1 & 1) == EXA_INGRESS,
                 "told by a bit");
  if (!stream || !row) return 0;
  return exa_tls_on_plain(stream, row, &stream->moved[bpf_get_attach_cookie(regs) >> 9 & 1]);
}

SEC("uprobe/enter")
int exa_tls_enter(struct pt_regs* regs) {
  exa_forbid_preemption();
  exa_tls_look_at_call(regs);
  exa_allow_preemption();
  return 0;
}

SEC("uprobe/table")
int exa_table_enter(struct pt_regs* regs) {
  exa_forbid_preemption();
  exa_tell_table(regs);
  exa_allow_preemption();
  return 0;
}

/* The sweep of the TLS streams, as for sockets. Read by the prober. */
SEC("iter/bpf_map_elem")
int exa_tls_sweep(struct bpf_iter__bpf_map_elem* context) {
  struct exa_tls_stream* stream = context->value;
  return stream ? exa_tell_positions(&stream->state) : 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
