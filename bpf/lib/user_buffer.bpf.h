/* Where the bytes of the current system call lie in the process. */
#ifndef EXA_BPF_LIB_USER_BUFFER_H
#define EXA_BPF_LIB_USER_BUFFER_H

#include <bpf/bpf_helpers.h>

#include "bpf/lib/registers.bpf.h"
#include "bpf/lib/scratch.bpf.h"
#include "bpf/lib/socket_state.h"
#include "bpf/lib/user_copy.bpf.h"
#include "bpf/lib/verified_once.h"

struct exa_message_vector { /* what of struct user_msghdr is needed, from msg_iov on */
  __u64 segments_address;
  __u64 segment_count;
};
enum { EXA_MSGHDR_IOV_OFFSET = 16, EXA_MMSGHDR_BYTES = 64 };

/* A socket was seen in sendmmsg or recvmmsg, whose place in the vector must then be followed also
 * through calls that fail. Never taken back. */
volatile __u32 exa_batches_seen;

/* The kernel takes no more than this. */
enum { EXA_MOST_SEGMENTS = 1024 };

static __always_inline __u32 exa_segments(__u64 count) {
  return count > EXA_MOST_SEGMENTS ? EXA_MOST_SEGMENTS : count;
}

static __always_inline __u32 exa_current_thread(void) {
  return (__u32)bpf_get_current_pid_tgid();
}

/* One call moved one message of a sendmmsg or recvmmsg; the registers only know the vector. Returns
 * the index of the message, or -1 if it is not known. */
static __always_inline int exa_batch_index(struct exa_socket_state* state, struct exa_flow* flow,
                                           const struct exa_call* call) {
  const __u32 thread = exa_current_thread();
  exa_batches_seen = 1;
  if (!(state->flags & EXA_SOCKET_BATCHES)) __sync_fetch_and_or(&state->flags, EXA_SOCKET_BATCHES);
  if (flow->batch_thread != thread) {
    if (flow->batch_thread) __sync_fetch_and_or(&state->flags, EXA_SOCKET_BATCHES_MIXED);
    flow->batch_thread = thread;
    flow->batch_index = 0;
  }
  /* The timeout of recvmmsg ends the call without a further hit. */
  if ((state->flags & EXA_SOCKET_BATCHES_MIXED) || call->timeout) {
    flow->batch_thread = 0;
    return -1;
  }
  return flow->batch_index;
}

static __always_inline void exa_batch_advance(struct exa_flow* flow, const struct exa_call* call) {
  flow->batch_index += 1;
  if (flow->batch_index >= (__u32)call->count) flow->batch_thread = 0;
}

/* The segments of one message of a vector. A message that sends less than its segments hold is the
 * last of its call; one that moved more than they hold is not the message we took it for. */
EXA_VERIFIED_ONCE int exa_batch_message(struct exa_socket_state* state, const struct exa_call* call,
                                        struct exa_scratch* scratch, struct exa_source* source,
                                        __u32 moved) {
  struct exa_message_vector message = {};
  struct exa_flow* flow;
  __u64 total = 0;
  __u32 count;

  if (!state || !call || !scratch || !source) return 0;
  flow = &state->flow[call->direction == EXA_EGRESS];
  source->gap = EXA_GAP_NO_BUFFER;
  const int index = exa_batch_index(state, flow, call);
  if (index < 0) return 0;
  if (bpf_probe_read_user(
          &message, sizeof(message),
          (void*)(call->address + (__u64)index * EXA_MMSGHDR_BYTES + EXA_MSGHDR_IOV_OFFSET)))
    goto lost;
  count = message.segment_count > EXA_MAX_SEGMENTS ? EXA_MAX_SEGMENTS : message.segment_count;
  if (count && bpf_probe_read_user(scratch->segment, count * sizeof(struct exa_segment),
                                   (void*)message.segments_address))
    goto lost;
  for (__u32 i = 0; i < EXA_MAX_SEGMENTS; ++i) {
    if (i >= count) break;
    total += scratch->segment[i].size_bytes;
  }
  if (message.segment_count <= EXA_MAX_SEGMENTS && total < moved) goto lost;
  exa_batch_advance(flow, call);
  if (call->direction == EXA_EGRESS && message.segment_count <= EXA_MAX_SEGMENTS && total > moved)
    flow->batch_thread = 0;
  source->address = message.segments_address;
  source->segments = exa_segments(message.segment_count);
  source->gap = EXA_GAP_NONE;
  return 0;
lost:
  __sync_fetch_and_or(&state->flags, EXA_SOCKET_BATCHES_MIXED);
  return 0;
}

static __always_inline void exa_find_source(struct exa_source* source, struct task_struct* task,
                                            struct exa_socket_state* state,
                                            struct exa_scratch* scratch, int direction,
                                            __u32 moved) {
  struct exa_call call;

  source->address = 0;
  source->segments = 0;
  source->gap = EXA_GAP_NO_BUFFER;
  if (task->flags & (PF_IO_WORKER | PF_USER_WORKER)) return; /* no system call of their own */
  exa_current_call(&call, task, (const struct pt_regs*)bpf_task_pt_regs(task), direction);
  if (call.compat) {
    source->gap = EXA_GAP_COMPAT;
    return;
  }
  switch (call.shape) {
    case EXA_SHAPE_BUFFER:
      source->address = call.address;
      source->gap = EXA_GAP_NONE;
      return;
    case EXA_SHAPE_VECTOR:
      source->address = call.address;
      source->segments = exa_segments(call.count);
      source->gap = EXA_GAP_NONE;
      return;
    case EXA_SHAPE_MESSAGE: {
      struct exa_message_vector message;
      if (bpf_probe_read_user(&message, sizeof(message),
                              (void*)(call.address + EXA_MSGHDR_IOV_OFFSET))) {
        source->gap = EXA_GAP_READ_FAULT;
        return;
      }
      source->address = message.segments_address;
      source->segments = exa_segments(message.segment_count);
      source->gap = EXA_GAP_NONE;
      return;
    }
    case EXA_SHAPE_MESSAGES:
      exa_batch_message(state, &call, scratch, source, moved);
      return;
  }
}

#endif
