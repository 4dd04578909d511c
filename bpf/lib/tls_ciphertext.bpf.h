/* The socket side of TLS: what the socket programs do with a socket that carries ciphertext. They
 * tell the stream above it when its bytes came, and find out, once, which stream that is.
 *
 * Proof is a socket call inside a call of the library, or, where the library only ever sees memory
 * (node, asyncio), two records that carry exactly what the same object wrote or read next to them
 * on the same thread. Without proof a stream has no addresses. */
#ifndef EXA_BPF_LIB_TLS_CIPHERTEXT_H
#define EXA_BPF_LIB_TLS_CIPHERTEXT_H

#include "bpf/lib/pid_namespace.bpf.h"
#include "bpf/lib/tls_records.bpf.h"
#include "bpf/lib/tls_registers.bpf.h"
#include "bpf/lib/tls_share.bpf.h"
#include "bpf/lib/user_buffer.bpf.h"
#include "bpf/maps/sockets.bpf.h"
#include "bpf/maps/tls.bpf.h"

/* Set before loading if the TLS programs will be there; otherwise all of this is dead code. */
extern const volatile __u32 exa_tls_enabled;

struct exa_ciphertext {
  __u64 arrival_ns;
  __u32 length;
  __u32 sequence;
  __u32 direction;
  __u32 first_record; /* length of the record it begins with, 0 unknown */
  __u32 scratch_slot; /* of the program that asks */
  __u32 reserved;
};

/* The call of a TLS library that this socket call happens in. */
static __always_inline struct exa_tls_call* exa_tls_enclosing_call(struct task_struct* task,
                                                                   struct exa_tls_call* thread,
                                                                   const struct pt_regs* regs) {
  struct exa_tls_call* call = thread;
  struct exa_tls_key key = {};

  if (call && call->kind != EXA_TLS_IDLE && exa_tls_in_frame(call, regs)) return call;
  key.object = exa_tls_goroutine(regs);
  key.tgid = exa_tgid(task);
  call = bpf_map_lookup_elem(&exa_tls_gos, &key);
  if (call && call->kind != EXA_TLS_IDLE && exa_tls_in_frame(call, regs)) return call;
  return 0;
}

static __always_inline void exa_tls_note(struct exa_tls_stream* stream,
                                         const struct exa_ciphertext* cipher) {
  if (cipher->direction == EXA_EGRESS) {
    stream->egress_sequence = cipher->sequence + cipher->length;
    stream->egress_known = 1;
    return;
  }
  if (stream->ingress_pending) return;
  stream->ingress_sequence = cipher->sequence;
  stream->arrival_ns = cipher->arrival_ns;
  stream->ingress_pending = 1;
}

/* The stream runs over this socket: proven. */
static __noinline int exa_tls_learn(struct sock* sk, const struct exa_tls_key* key,
                                    struct exa_tls_stream* stream, __u32 provenance,
                                    __u32 first_sequence) {
  struct exa_tls_socket* socket;
  struct exa_counter_row* row;
  struct exa_tls_key* link;

  if (!sk || !key || !stream) return 0;
  row = exa_counters_of_this_cpu();
  if (!row) return 0;
  link = bpf_sk_storage_get(&exa_tls_links, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
  if (!link) return 0;
  socket = &stream->socket;
  /* The object serves another connection by now; its next byte begins another stream. */
  if (socket->cookie)
    exa_emit_end(&stream->state, EXA_END_INGRESS | EXA_END_EGRESS | EXA_END_FINAL, 0);
  socket->cookie = bpf_get_socket_cookie(sk);
  socket->provenance = provenance;
  socket->family = sk->__sk_common.skc_family;
  socket->local_port = sk->__sk_common.skc_num;
  socket->remote_port = bpf_ntohs(sk->__sk_common.skc_dport);
  socket->netns_inode = sk->__sk_common.skc_net.net->ns.inum;
  if (socket->family == AF_INET) {
    __builtin_memset(socket->local_address, 0, 16);
    __builtin_memset(socket->remote_address, 0, 16);
    *(__u32*)socket->local_address = sk->__sk_common.skc_rcv_saddr;
    *(__u32*)socket->remote_address = sk->__sk_common.skc_daddr;
  } else {
    bpf_probe_read_kernel(socket->local_address, 16, &sk->__sk_common.skc_v6_rcv_saddr);
    bpf_probe_read_kernel(socket->remote_address, 16, &sk->__sk_common.skc_v6_daddr);
  }
  stream->judged_socket = 0;
  stream->egress_known = 0;
  stream->ingress_pending = 0;
  *link = *key;
  if (provenance == EXA_TLS_NESTED)
    EXA_COUNT_SHARED(row, TLS_SOCKET_NESTED);
  else
    EXA_COUNT_SHARED(row, TLS_SOCKET_SEQUENCE);
  if ((stream->state.flags & (EXA_SOCKET_ANNOUNCED | EXA_SOCKET_ENDED)) == EXA_SOCKET_ANNOUNCED)
    exa_tls_announce(stream, row, bpf_ktime_get_ns(), first_sequence);
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

/* No call of a library encloses this one, but the thread wrote to a TLS object just before, or may
 * read from one just after. */
static __noinline int exa_tls_follow(struct sock* sk, struct exa_tls_call* thread,
                                     const struct exa_ciphertext* cipher) {
  struct exa_tls_key key = {};
  struct exa_tls_stream* stream;
  __u64 cookie;

  if (!sk || !thread || !cipher) return 0;
  cookie = bpf_get_socket_cookie(sk);
  if (cipher->direction == EXA_INGRESS) {
    if (thread->received_cookie && thread->received_cookie != cookie) thread->received_mixed = 1;
    if (!thread->received_cookie) {
      thread->received_cookie = cookie;
      thread->received_bytes = cipher->first_record;
    }
    return 0;
  }
  key.object = thread->written_object;
  key.tgid = exa_tgid(bpf_get_current_task_btf());
  const int fits = key.object && !thread->written_mixed &&
                   exa_tls_carries(cipher->first_record, thread->written_bytes);
  thread->written_object = 0;
  thread->written_mixed = 0;
  if (!fits) return 0;
  stream = bpf_map_lookup_elem(&exa_tls_streams, &key);
  if (!stream) return 0;
  stream->write.proven = 1;
  if (stream->socket.cookie) return 0;
  if (!exa_tls_weigh(stream, cookie)) return 0;
  return exa_tls_learn(sk, &key, stream, EXA_TLS_SEQUENCE, 0);
}

static __noinline int exa_tls_find_record(struct task_struct* task, struct exa_socket_state* state,
                                          struct exa_ciphertext* cipher) {
  struct exa_source source;
  struct exa_scratch* scratch;
  __u32 slot;

  if (!task || !state || !cipher) return 0;
  slot = cipher->scratch_slot;
  scratch = bpf_map_lookup_elem(&exa_scratch, &slot);
  if (!scratch || cipher->length < 8) return 0;
  exa_find_source(&source, task, state, scratch, cipher->direction == EXA_EGRESS, cipher->length);
  if (source.gap == EXA_GAP_NONE && exa_copy(&source, scratch, 8) == 8)
    cipher->first_record = exa_tls_record_bytes(*(__u64*)scratch->payload);
  return 0;
}

/* Ciphertext of an observed process passed through this socket. */
static __noinline int exa_tls_on_ciphertext(struct sock* sk, struct task_struct* task,
                                            struct exa_socket_state* state,
                                            struct exa_ciphertext* cipher) {
  const struct pt_regs* regs;
  struct exa_tls_call* thread;
  struct exa_tls_call* call;
  struct exa_tls_stream* stream;
  struct exa_tls_key* link;

  if (!sk || !task || !state || !cipher) return 0;
  link = bpf_sk_storage_get(&exa_tls_links, sk, 0, 0);
  if (link && link->object) {
    stream = bpf_map_lookup_elem(&exa_tls_streams, link);
    if (stream && stream->socket.cookie == bpf_get_socket_cookie(sk)) {
      exa_tls_note(stream, cipher);
      return 0;
    }
    link->object = 0; /* freed by the library */
  }
  regs = (const struct pt_regs*)bpf_task_pt_regs(task);
  thread = bpf_task_storage_get(&exa_tls_threads, task, 0, 0);
  call = exa_tls_enclosing_call(task, thread, regs);
  if (!call && !thread) return 0;
  /* Nobody looked whether an excluded socket carries TLS: only a call around it proves that. */
  if (!call && (state->flags & EXA_SOCKET_EXCLUDED_PORT)) return 0;
  exa_tls_find_record(task, state, cipher);
  if (!call) return exa_tls_follow(sk, thread, cipher);

  struct exa_tls_key key = {.object = call->object, .tgid = exa_tgid(task)};
  const int writes = call->kind == EXA_TLS_WRITING && cipher->direction == EXA_EGRESS;
  stream = bpf_map_lookup_elem(&exa_tls_streams, &key);
  if (!stream) return 0;
  if (writes && exa_tls_carries(cipher->first_record, stream->write.size_bytes))
    stream->write.proven = 1;
  exa_tls_learn(sk, &key, stream, EXA_TLS_NESTED, writes ? cipher->sequence : 0);
  exa_tls_note(stream, cipher);
  return 0;
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
  key.object = call->object;
  key.tgid = exa_tgid(task);
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
