/* When a stream begins and ends. It is known by the address of the library's object, which the
 * next connection may be given as well: what tells them apart is the library's free function, the
 * end of the socket, or a call that only the beginning of a connection makes. */
#ifndef EXA_BPF_LIB_TLS_LIFE_H
#define EXA_BPF_LIB_TLS_LIFE_H

#include "bpf/lib/pid_namespace.bpf.h"
#include "bpf/lib/records.bpf.h"
#include "bpf/lib/tls_share.bpf.h"
#include "bpf/lib/tls_stream.h"
#include "bpf/maps/tls.bpf.h"

/* What a new entry of a map holds: too large for a program's stack. */
static const struct exa_tls_stream exa_tls_no_stream;
static const struct exa_tls_call exa_tls_no_call;

static __always_inline void exa_tls_key_of(struct exa_tls_key* key, const struct task_struct* task,
                                           __u64 object) {
  const struct task_struct* leader = task->group_leader;
  key->object = object;
  key->tgid = exa_tgid((struct task_struct*)task);
  key->life = (__u32)(leader->start_boottime >> 10) + (__u32)leader->self_exec_id * 0x9e3779b1u;
}

/* Unique while the agent runs: no two streams begin in the same nanosecond on one CPU. */
static __always_inline __u64 exa_tls_new_id(__u64 now) {
  return EXA_TLS_STREAM_ID | (now << 12 & ~EXA_TLS_STREAM_ID) |
         (bpf_get_smp_processor_id() & 0xfff);
}

/* The object's next connection. What is known of the one before ends here. */
static __noinline int exa_tls_restart(struct exa_tls_stream* stream, __u64 now) {
  if (!stream) return 0;
  exa_emit_end(&stream->state, EXA_END_INGRESS | EXA_END_EGRESS | EXA_END_FINAL, 0);
  __builtin_memset(stream, 0, sizeof(*stream));
  stream->state.cookie = exa_tls_new_id(now);
  return 0;
}

static __noinline struct exa_tls_stream* exa_tls_stream_of(struct exa_tls_key* key, __u64 now) {
  struct exa_tls_stream* stream = bpf_map_lookup_elem(&exa_tls_streams, key);

  if (stream || !exa_tls_may_hold(key->tgid, EXA_TLS_STREAMS)) return stream;
  if (bpf_map_update_elem(&exa_tls_streams, key, &exa_tls_no_stream, BPF_NOEXIST) == 0)
    exa_tls_hold(key->tgid, EXA_TLS_STREAMS);
  stream = bpf_map_lookup_elem(&exa_tls_streams, key);
  if (stream) __sync_val_compare_and_swap(&stream->state.cookie, 0, exa_tls_new_id(now));
  return stream;
}

#endif
