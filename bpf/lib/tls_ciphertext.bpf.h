/* The socket side of TLS: what the socket programs do with a socket that carries ciphertext. They
 * tell the stream above it when its bytes came, and find out, once, which stream that is.
 *
 * Proof is a socket call inside a call of the library. Where the library only ever sees memory
 * (node, asyncio) it takes two of these on one thread: a socket's first bytes right behind the
 * first calls for an object, and records that carry exactly what the same object wrote or read next
 * to them. Without proof a stream has no addresses. */
#ifndef EXA_BPF_LIB_TLS_CIPHERTEXT_H
#define EXA_BPF_LIB_TLS_CIPHERTEXT_H

#include "bpf/lib/tls_life.bpf.h"
#include "bpf/lib/tls_records.bpf.h"
#include "bpf/lib/tls_registers.bpf.h"
#include "bpf/lib/tls_share.bpf.h"
#include "bpf/lib/user_buffer.bpf.h"
#include "bpf/maps/processes.bpf.h"
#include "bpf/maps/sockets.bpf.h"
#include "bpf/maps/tls.bpf.h"

/* Set before loading if the TLS programs will be there; otherwise all of this is dead code. */
extern const volatile __u32 exa_tls_enabled;

/* The call of a TLS library that this socket call happens in. */
static __always_inline struct exa_tls_call* exa_tls_enclosing_call(struct task_struct* task,
                                                                   struct exa_tls_call* thread,
                                                                   const struct pt_regs* regs) {
  struct exa_tls_call* call = thread;
  struct exa_tls_key key = {};

  if (call && call->kind != EXA_TLS_IDLE && exa_tls_in_frame(call, regs)) return call;
  exa_tls_key_of(&key, task, exa_goroutine(regs));
  call = bpf_map_lookup_elem(&exa_tls_gos, &key);
  if (call && call->kind != EXA_TLS_IDLE && exa_tls_in_frame(call, regs)) return call;
  return 0;
}

/* A result that clang cannot know: one that nobody needs it leaves out, and what is then in the
 * register may be a stack pointer, which the verifier does not let out of a function. */
static __always_inline int exa_tls_done(void) {
  int nothing = 0;
  barrier_var(nothing);
  return nothing;
}

static __always_inline void exa_tls_note(struct exa_tls_stream* stream,
                                         const struct exa_ciphertext* cipher) {
  if (cipher->direction == EXA_EGRESS) {
    /* By sequence numbers where they are known: a call may have gone unseen. */
    const __u32 since = cipher->sequence + cipher->length - stream->egress_sequence;
    exa_tls_left(stream, cipher->now,
                 stream->egress_known && since < 1u << 31 ? since : cipher->length);
    stream->egress_sequence = cipher->sequence + cipher->length;
    stream->egress_known = 1;
    return;
  }
  if (stream->ingress_pending) return;
  stream->ingress_sequence = cipher->sequence;
  stream->arrival_ns = cipher->arrival_ns;
  stream->ingress_pending = 1;
}

/* Is this among the first bytes of the connection, before both ends have sent any? No plaintext has
 * passed then. The SYN may count as an acknowledged byte. */
static __always_inline int exa_tls_opens(struct sock* sk, const struct exa_ciphertext* cipher) {
  const struct tcp_sock* tcp = bpf_skc_to_tcp_sock(sk);
  if (!tcp) return 0;
  __u64 received = tcp->bytes_received - (tcp->rcv_nxt - tcp->copied_seq);
  __u64 sent = tcp->bytes_acked + (tcp->write_seq - tcp->snd_una);
  if (cipher->direction == EXA_INGRESS)
    received -= cipher->length;
  else
    sent -= cipher->length;
  return received == 0 || sent <= 1;
}

/* The stream runs over this socket: proven. */
static __noinline int exa_tls_learn(struct sock* sk, const struct exa_tls_key* key,
                                    struct exa_tls_stream* stream, __u32 provenance,
                                    __u32 first_sequence) {
  struct exa_tls_key* link;

  if (!sk || !key || !stream) return 0;
  link = bpf_sk_storage_get(&exa_tls_links, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
  if (!link) return 0;
  *link = *key;
  if (stream->socket.cookie == bpf_get_socket_cookie(sk)) {
    stream->linked_cookie = stream->socket.cookie;
    stream->tells_leaving = 1;
    return 1;
  }
  /* The object serves another connection by now; its next byte begins another stream. */
  if (stream->socket.cookie) exa_tls_restart(stream, bpf_ktime_get_ns());
  exa_tls_describe(sk, &stream->socket);
  stream->linked_cookie = stream->socket.cookie;
  return exa_tls_adopt(stream, provenance, first_sequence);
}

/* The next proof may come where no socket is at hand: the link waits for it. */
static __noinline int exa_tls_link_ahead(struct sock* sk, const struct exa_tls_key* key,
                                         struct exa_tls_stream* stream) {
  struct exa_tls_key* link;

  if (!sk || !key || !stream) return 0;
  link = bpf_sk_storage_get(&exa_tls_links, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
  if (!link || link->object) return 0;
  *link = *key;
  stream->linked_cookie = bpf_get_socket_cookie(sk);
  return 1;
}

/* Another process uses a copy of the object: it was forked from the one that the socket's stream
 * belongs to, and if it has moved nothing yet the same stream goes on in it. */
static __noinline int exa_tls_inherit(struct exa_tls_stream* stream, struct sock* sk,
                                      struct exa_tls_stream* parent) {
  const struct exa_tls_remnant* remnant;
  const struct exa_tls_key* link;
  const struct exa_flow* flow;

  if (!stream || !sk) return 0;
  const __u64 cookie = bpf_get_socket_cookie(sk);
  flow = stream->state.flow;
  if (flow[EXA_INGRESS].started || flow[EXA_EGRESS].started) {
    if (parent) exa_tls_restart(parent, bpf_ktime_get_ns());
    return 0;
  }
  if (parent) {
    const __u32 tgid = stream->state.tgid;
    *stream = *parent;
    stream->state.tgid = tgid;
    link = bpf_sk_storage_get(&exa_tls_links, sk, 0, 0);
    if (link && bpf_map_delete_elem(&exa_tls_streams, link) == 0)
      exa_tls_let_go(link->tgid, EXA_TLS_STREAMS);
    return 1;
  }
  remnant = bpf_map_lookup_elem(&exa_tls_remnants, &cookie);
  if (!remnant) return 0;
  __builtin_memcpy(stream->state.flow, remnant->flow, sizeof(remnant->flow));
  stream->from_start = 1;
  return 1;
}

static __always_inline int exa_tls_tell_prober(__u8 type, __u32 tgid, struct exa_counter_row* row,
                                               __u64 now) {
  struct exa_event_header event = {};
  exa_fill_header(&event, type, sizeof(event), now, 0, tgid);
  if (bpf_ringbuf_output(&exa_control, &event, sizeof(event), 0))
    EXA_COUNT_SHARED(row, CONTROL_RING_FULL);
  else
    EXA_COUNT_SHARED(row, CONTROL_WRITTEN);
  return 0;
}

/* The process opened a TLS connection: the prober looks which library does it. Told about once a
 * second a process. */
static __noinline int exa_tls_tell(struct task_struct* task, struct exa_counter_row* row,
                                   __u64 now) {
  struct exa_process_state* process;
  const __u32 seconds = (now >> 30) + 1;

  if (!task || !row) return 0;
  process = bpf_task_storage_get(&exa_processes, task->group_leader, 0, 0);
  if (!process || process->tls_seconds == seconds) return 0;
  process->tls_seconds = seconds;
  return exa_tls_tell_prober(EXA_EVENT_TLS_TRAFFIC, exa_tgid(task), row, now);
}

/* The process runs another program: it may have a TLS library linked in. Programs that the prober
 * knows to have none are not told. */
static __always_inline void exa_tls_tell_exec(struct task_struct* task, __u32 tgid) {
  struct exa_counter_row* row;
  struct exa_tls_file file = {};
  struct inode* inode;

  inode = task->mm->exe_file->f_inode;
  file.inode = inode->i_ino;
  file.device = inode->i_sb->s_dev;
  if (bpf_map_lookup_elem(&exa_tls_dull, &file)) return;
  row = exa_counters_of_this_cpu();
  if (row) exa_tls_tell_prober(EXA_EVENT_EXEC, tgid, row, bpf_ktime_get_ns());
}

/* No call of a library encloses this one, but the thread called one for an object just before, or
 * will just after. Returns the stream, if that is proven now. */
static __noinline struct exa_tls_stream* exa_tls_follow(struct sock* sk,
                                                        struct exa_tls_call* thread,
                                                        const struct exa_ciphertext* cipher) {
  struct exa_tls_key key = {};
  struct exa_tls_stream* stream;
  __u64 cookie, object;

  if (!sk || !thread || !cipher) return 0;
  cookie = bpf_get_socket_cookie(sk);
  if (cipher->direction == EXA_INGRESS) {
    if (thread->received.cookie && thread->received.cookie != cookie) thread->received_mixed = 1;
    if (!thread->received.cookie) exa_tls_describe(sk, &thread->received);
    thread->received_bytes = cipher->last_record;
    return 0;
  }
  const int wrote = thread->written_object && !thread->written_mixed &&
                    (exa_tls_carries(cipher->first_record, thread->written_bytes) ||
                     exa_tls_carries(cipher->last_record, thread->written_bytes));
  const int opened = thread->opening_object && !thread->opening_mixed && exa_tls_opens(sk, cipher);
  object = wrote ? thread->written_object : thread->opening_object;
  thread->written_object = 0;
  thread->written_mixed = 0;
  thread->opening_object = 0;
  thread->opening_mixed = 0;
  if (!wrote && !opened) return 0;
  exa_tls_key_of(&key, bpf_get_current_task_btf(), object);
  stream = bpf_map_lookup_elem(&exa_tls_streams, &key);
  if (!stream) return 0;
  if (wrote) stream->write.proven = 1;
  if (stream->socket.cookie && stream->socket.cookie != cookie) return 0;
  if (!stream->socket.cookie && !exa_tls_weigh(stream, cookie)) {
    exa_tls_link_ahead(sk, &key, stream);
    return 0;
  }
  exa_tls_learn(sk, &key, stream, EXA_TLS_SEQUENCE, 0);
  return stream;
}

static __noinline int exa_tls_find_record(struct task_struct* task, struct exa_socket_state* state,
                                          struct exa_scratch* scratch) {
  struct exa_source source;
  struct exa_ciphertext* cipher;
  __u32 copied;

  if (!task || !state || !scratch) return 0;
  cipher = &scratch->ciphertext;
  if (cipher->length < 8) return 0;
  exa_find_source(&source, task, state, scratch, cipher->direction == EXA_EGRESS, cipher->length);
  if (source.gap != EXA_GAP_NONE) return 0;
  copied = exa_copy(&source, scratch,
                    cipher->length < EXA_TLS_WALK_BYTES ? cipher->length : EXA_TLS_WALK_BYTES);
  if (copied < 8) return 0;
  __u32* found = (__u32*)scratch->payload;
  const __u32 first = exa_tls_record_bytes(*(__u64*)scratch->payload);
  found[1] = exa_tls_last_record_bytes(scratch->payload, copied);
  found[0] = first;
  /* Back from memory they are any numbers to the verifier, whichever way it came. */
  barrier();
  cipher->first_record = found[0];
  cipher->last_record = found[1];
  return 0;
}

/* A socket call inside a call of the library. own: the stream of another process. */
static __noinline struct exa_tls_stream* exa_tls_on_nested(struct sock* sk,
                                                           struct exa_tls_call* call,
                                                           struct exa_tls_stream* own,
                                                           const struct exa_ciphertext* cipher) {
  struct exa_tls_key key = {};
  struct exa_tls_stream* stream;
  __u32 first_sequence = 0;

  if (!sk || !call || !cipher) return 0;
  exa_tls_key_of(&key, bpf_get_current_task_btf(), call->object);
  stream = bpf_map_lookup_elem(&exa_tls_streams, &key);
  if (!stream && call->kind == EXA_TLS_SHAKING && call->shape == EXA_TLS_SHAPE_GO) {
    stream = exa_tls_stream_of(&key, bpf_ktime_get_ns());
    if (stream) stream->from_start = 1;
  }
  if (!stream) return 0;
  const int writes = call->kind == EXA_TLS_WRITING && cipher->direction == EXA_EGRESS;
  if (writes && exa_tls_carries(cipher->first_record, stream->write.size_bytes))
    stream->write.proven = 1;
  if (!stream->socket.cookie) {
    const struct exa_flow* flow = stream->state.flow;
    const int first = flow[EXA_INGRESS].position == 0 &&
                      (flow[EXA_EGRESS].position == 0 ||
                       (writes && flow[EXA_EGRESS].position == stream->write.size_bytes));
    if (first && exa_tls_opens(sk, cipher)) stream->from_start = 1;
    if (writes && !stream->from_start) first_sequence = cipher->sequence;
    if (writes && stream->from_start && first) first_sequence = EXA_TLS_FIRST_SEQUENCE;
    if (!stream->from_start) exa_tls_inherit(stream, sk, own);
  }
  exa_tls_learn(sk, &key, stream, EXA_TLS_NESTED, first_sequence);
  return stream;
}

/* Ciphertext of an observed process passed through this socket: the one in the scratch. */
static __noinline int exa_tls_on_ciphertext(struct sock* sk, struct task_struct* task,
                                            struct exa_socket_state* state,
                                            struct exa_scratch* scratch) {
  const struct exa_ciphertext* cipher;
  const struct pt_regs* regs;
  struct exa_tls_call* thread;
  struct exa_tls_call* call;
  struct exa_tls_stream* own = 0;
  struct exa_tls_key* link;

  if (!sk || !task || !state || !scratch) return 0;
  cipher = &scratch->ciphertext;
  link = bpf_sk_storage_get(&exa_tls_links, sk, 0, 0);
  if (link && link->object) {
    const __u64 cookie = bpf_get_socket_cookie(sk);
    own = bpf_map_lookup_elem(&exa_tls_streams, link);
    if (!own || own->linked_cookie != cookie) link->object = 0; /* freed by the library */
    if (own && own->socket.cookie != cookie) own = 0;           /* not proven, or not any more */
    if (own && link->tgid == exa_tgid(task)) goto note;
  }
  regs = (const struct pt_regs*)bpf_task_pt_regs(task);
  thread = bpf_task_storage_get(&exa_tls_threads, task, 0, 0);
  call = exa_tls_enclosing_call(task, thread, regs);
  if (!call && own) goto note;
  if (!call && !thread) return 0;
  /* Nobody looked whether an excluded socket carries TLS: only a call around it proves that. */
  if (!call && (state->flags & EXA_SOCKET_EXCLUDED_PORT)) return 0;
  exa_tls_find_record(task, state, scratch);
  own = call ? exa_tls_on_nested(sk, call, own, cipher) : exa_tls_follow(sk, thread, cipher);
note:
  if (own) exa_tls_note(own, cipher);
  return exa_tls_done();
}

/* A send was refused: if a write of the library is on the stack, it will come again. */
static __noinline int exa_tls_on_blocked(struct sock* sk) {
  struct exa_tls_key key = {};
  struct task_struct* task;
  struct exa_socket_state* state;
  struct exa_tls_stream* stream;
  struct exa_tls_call* call;

  if (!sk || !bpf_skc_to_tcp_sock(sk)) return 0;
  state = bpf_sk_storage_get(&exa_sockets, sk, 0, 0);
  if (!state || !(state->flags & EXA_SOCKET_TLS)) return 0;
  task = bpf_get_current_task_btf();
  if (task->flags & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER)) return 0;
  call = exa_tls_enclosing_call(task, bpf_task_storage_get(&exa_tls_threads, task, 0, 0),
                                (const struct pt_regs*)bpf_task_pt_regs(task));
  if (!call || call->kind != EXA_TLS_WRITING) return 0;
  exa_tls_key_of(&key, task, call->object);
  stream = bpf_map_lookup_elem(&exa_tls_streams, &key);
  if (stream) stream->write.blocked = 1;
  return 0;
}

/* The socket ends, and with it the stream above it. */
static __noinline int exa_tls_on_end(struct sock* sk, __u32 end_flags, __u32 socket_error) {
  struct exa_tls_stream* stream;
  struct exa_tls_key* link;

  if (!sk) return 0;
  link = bpf_sk_storage_get(&exa_tls_links, sk, 0, 0);
  if (!link || !link->object) return 0;
  stream = bpf_map_lookup_elem(&exa_tls_streams, link);
  if (!stream || stream->socket.cookie != bpf_get_socket_cookie(sk)) return 0;
  exa_emit_end(&stream->state, end_flags, socket_error);
  if (end_flags & EXA_END_FINAL) {
    if (bpf_map_delete_elem(&exa_tls_streams, link) == 0)
      exa_tls_let_go(link->tgid, EXA_TLS_STREAMS);
    link->object = 0;
  }
  return 0;
}

#endif
