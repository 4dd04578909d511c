/* Registers at the probes of TLS libraries: arguments and results by calling convention, the
 * goroutine, and the stack. */
#ifndef EXA_BPF_LIB_TLS_REGISTERS_H
#define EXA_BPF_LIB_TLS_REGISTERS_H

#include <bpf/bpf_helpers.h>

#include "bpf/lib/goroutine.bpf.h"
#include "bpf/lib/kernel_types.bpf.h"
#include "bpf/lib/tls_stream.h"

/* So far below its call may a socket call be: stacks of coroutines lie next to each other. */
enum { EXA_TLS_STACK_BYTES = 128 * 1024 };

/* A place on the stack as it is kept, and back. A goroutine's stack moves as it grows, the distance
 * from its upper end, the second word of its descriptor, stays; 0 if that cannot be read. */
static __always_inline __u64 exa_tls_frame(int shape, const struct pt_regs* regs, __u64 place) {
  __u64 end = 0;
  if (shape != EXA_TLS_SHAPE_GO) return place;
  if (bpf_probe_read_user(&end, sizeof(end), (void*)(exa_goroutine(regs) + 8))) return 0;
  return end - place;
}

#if defined(__TARGET_ARCH_x86)

/* Each register is read by itself: the verifier refuses a context address that the compiler made by
 * choosing between two. */
static __always_inline void exa_tls_arguments(const struct pt_regs* regs, int shape, __u64* object,
                                              __u64* buffer, __u64* size, __u64* moved) {
  __u64 ax = regs->ax, bx = regs->bx, cx = regs->cx;
  __u64 di = regs->di, si = regs->si, dx = regs->dx;
  barrier_var(ax);
  barrier_var(bx);
  barrier_var(cx);
  barrier_var(di);
  barrier_var(si);
  barrier_var(dx);
  const int go = shape == EXA_TLS_SHAPE_GO; /* Go 1.17 and later */
  *object = go ? ax : di;
  *buffer = go ? bx : si;
  *size = go ? cx : dx;
  *moved = go ? 0 : cx;
}
static __always_inline __u64 exa_tls_result(const struct pt_regs* regs) {
  return regs->ax;
}
/* What the error of a Go function that returns a number and an error points at. */
static __always_inline __u64 exa_tls_go_error(const struct pt_regs* regs) {
  return regs->cx;
}

static __always_inline __u64 exa_tls_stack(const struct pt_regs* regs) {
  return regs->sp;
}

/* Is the call still on the stack, under the system call that regs belongs to? */
static __always_inline void exa_tls_mark_frame(struct exa_tls_call* call,
                                               const struct pt_regs* regs) {
  call->frame = exa_tls_frame(call->shape, regs, regs->sp);
  call->return_address = 0;
  bpf_probe_read_user(&call->return_address, sizeof(call->return_address), (void*)regs->sp);
}
static __always_inline int exa_tls_is_on_stack(const struct exa_tls_call* call, __u64 frame) {
  __u64 there = 0;
  if (bpf_probe_read_user(&there, sizeof(there), (void*)frame)) return 0;
  return there == call->return_address && there;
}
static __always_inline int exa_tls_in_frame(const struct exa_tls_call* call,
                                            const struct pt_regs* regs) {
  const __u64 frame = exa_tls_frame(call->shape, regs, call->frame);
  return frame - regs->sp - 1 < EXA_TLS_STACK_BYTES && exa_tls_is_on_stack(call, frame);
}
/* Is the probe where that call comes to its end: at its return instruction, or behind it in the
 * caller? */
enum { EXA_TLS_RETURN_STACKS = 2 };
static __always_inline int exa_tls_returns_from(const struct exa_tls_call* call,
                                                const struct pt_regs* regs) {
  return regs->sp == call->frame || regs->sp == call->frame + sizeof(__u64);
}

#elif defined(__TARGET_ARCH_arm64)

static __always_inline void exa_tls_arguments(const struct pt_regs* regs, int shape, __u64* object,
                                              __u64* buffer, __u64* size, __u64* moved) {
  *object = regs->regs[0];
  *buffer = regs->regs[1];
  *size = regs->regs[2];
  *moved = shape == EXA_TLS_SHAPE_GO ? 0 : regs->regs[3];
}
static __always_inline __u64 exa_tls_result(const struct pt_regs* regs) {
  return regs->regs[0];
}
static __always_inline __u64 exa_tls_go_error(const struct pt_regs* regs) {
  return regs->regs[2];
}

static __always_inline __u64 exa_tls_stack(const struct pt_regs* regs) {
  return regs->sp;
}

/* The return address is in a register here, so a write that has returned cannot be told from one
 * that has not: nothing is learned from writes. */
static __always_inline void exa_tls_mark_frame(struct exa_tls_call* call,
                                               const struct pt_regs* regs) {
  call->frame = exa_tls_frame(call->shape, regs, regs->sp);
  call->return_address = 0;
}
static __always_inline int exa_tls_in_frame(const struct exa_tls_call* call,
                                            const struct pt_regs* regs) {
  const __u64 frame = exa_tls_frame(call->shape, regs, call->frame);
  return call->kind == EXA_TLS_READING && frame - regs->sp - 1 < EXA_TLS_STACK_BYTES;
}
static __always_inline int exa_tls_is_on_stack(const struct exa_tls_call* call, __u64 frame) {
  return frame != 0;
}
enum { EXA_TLS_RETURN_STACKS = 1 };
static __always_inline int exa_tls_returns_from(const struct exa_tls_call* call,
                                                const struct pt_regs* regs) {
  return regs->sp == call->frame;
}

#endif

/* Did a Go function return io.EOF, a pointer to the text "EOF"? Other errors say more. */
static __always_inline int exa_tls_go_eof(const struct pt_regs* regs) {
  struct {
    __u64 address;
    __u64 bytes;
  } text = {};
  char eof[4] = {};

  if (bpf_probe_read_user(&text, sizeof(text), (void*)exa_tls_go_error(regs))) return 0;
  if (text.bytes != 3 || bpf_probe_read_user(eof, 3, (void*)text.address)) return 0;
  return eof[0] == 'E' && eof[1] == 'O' && eof[2] == 'F';
}

#endif
