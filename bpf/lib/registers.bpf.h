/* The one place that knows system call numbers and registers: what shape of buffer the current
 * system call hands to the socket, and where. */
#ifndef EXA_BPF_LIB_REGISTERS_H
#define EXA_BPF_LIB_REGISTERS_H

#include "bpf/lib/kernel_types.bpf.h"
#include "exa/abi/event.h"

enum exa_shape {
  EXA_SHAPE_NONE = 0,     /* no user buffer in the registers */
  EXA_SHAPE_BUFFER = 1,   /* (fd, buffer, length) */
  EXA_SHAPE_VECTOR = 2,   /* (fd, iovec, count) */
  EXA_SHAPE_MESSAGE = 3,  /* (fd, msghdr) */
  EXA_SHAPE_MESSAGES = 4, /* (fd, mmsghdr, count, flags[, timeout]) */
};

enum exa_mover { EXA_MOVED_OTHERWISE, EXA_MOVED_BY_SPLICE, EXA_MOVED_BY_RING };

struct exa_call {
  __u64 address;  /* second argument */
  __u64 count;    /* third argument */
  __u64 timeout;  /* fifth argument, meaningful for recvmmsg */
  __u32 shape;    /* exa_shape */
  __u8 direction; /* exa_direction */
  __u8 compat;    /* a 32-bit call */
  __u8 reserved[2];
};

#if defined(__TARGET_ARCH_x86)

enum { TS_COMPAT = 2, X32_BIT = 0x40000000 };

static __always_inline enum exa_shape exa_shape_of(int direction, long number) {
  if (direction == EXA_INGRESS) {
    switch (number) {
      case 0:  /* read */
      case 45: /* recvfrom */
        return EXA_SHAPE_BUFFER;
      case 19:  /* readv */
      case 327: /* preadv2 */
        return EXA_SHAPE_VECTOR;
      case 47: /* recvmsg */
        return EXA_SHAPE_MESSAGE;
      case 299: /* recvmmsg */
        return EXA_SHAPE_MESSAGES;
    }
    return EXA_SHAPE_NONE;
  }
  switch (number) {
    case 1:  /* write */
    case 44: /* sendto */
      return EXA_SHAPE_BUFFER;
    case 20:  /* writev */
    case 328: /* pwritev2 */
      return EXA_SHAPE_VECTOR;
    case 46: /* sendmsg */
      return EXA_SHAPE_MESSAGE;
    case 307: /* sendmmsg */
      return EXA_SHAPE_MESSAGES;
  }
  return EXA_SHAPE_NONE;
}

/* Work that io_uring left for the task runs on the way out of an unrelated call, whose number and
 * buffer are still in the registers. Inside a call ax holds what the entry code put there,
 * -ENOSYS; on the way out it holds the result. */
static __always_inline void exa_current_call(struct exa_call* call, struct task_struct* task,
                                             const struct pt_regs* regs, int direction) {
  const long number = regs->orig_ax;
  call->compat = (task->thread_info.status & TS_COMPAT) || (number & X32_BIT);
  call->shape = (long)regs->ax == -ENOSYS ? exa_shape_of(direction, number) : EXA_SHAPE_NONE;
  call->direction = direction;
  call->address = regs->si;
  call->count = regs->dx;
  call->timeout = direction == EXA_INGRESS ? regs->r8 : 0;
}

/* What moved bytes of which no buffer is in the registers. */
static __always_inline enum exa_mover exa_moved_by(const struct pt_regs* regs) {
  if ((long)regs->ax != -ENOSYS || regs->orig_ax == 426 /* io_uring_enter */)
    return EXA_MOVED_BY_RING;
  return regs->orig_ax == 40 /* sendfile */ || regs->orig_ax == 275 /* splice */
             ? EXA_MOVED_BY_SPLICE
             : EXA_MOVED_OTHERWISE;
}

#elif defined(__TARGET_ARCH_arm64)

enum { TIF_32BIT_MASK = 1 << 22 };

static __always_inline enum exa_shape exa_shape_of(int direction, long number) {
  if (direction == EXA_INGRESS) {
    switch (number) {
      case 63:  /* read */
      case 207: /* recvfrom */
        return EXA_SHAPE_BUFFER;
      case 65:  /* readv */
      case 286: /* preadv2 */
        return EXA_SHAPE_VECTOR;
      case 212: /* recvmsg */
        return EXA_SHAPE_MESSAGE;
      case 243: /* recvmmsg */
        return EXA_SHAPE_MESSAGES;
    }
    return EXA_SHAPE_NONE;
  }
  switch (number) {
    case 64:  /* write */
    case 206: /* sendto */
      return EXA_SHAPE_BUFFER;
    case 66:  /* writev */
    case 287: /* pwritev2 */
      return EXA_SHAPE_VECTOR;
    case 211: /* sendmsg */
      return EXA_SHAPE_MESSAGE;
    case 269: /* sendmmsg */
      return EXA_SHAPE_MESSAGES;
  }
  return EXA_SHAPE_NONE;
}

/* x0 is the first argument inside a call and the result on the way out of it (see above). */
static __always_inline void exa_current_call(struct exa_call* call, struct task_struct* task,
                                             const struct pt_regs* regs, int direction) {
  call->compat = (task->thread_info.flags & TIF_32BIT_MASK) != 0;
  call->shape =
      regs->regs[0] == regs->orig_x0 ? exa_shape_of(direction, regs->syscallno) : EXA_SHAPE_NONE;
  call->direction = direction;
  call->address = regs->regs[1];
  call->count = regs->regs[2];
  call->timeout = direction == EXA_INGRESS ? regs->regs[4] : 0;
}

static __always_inline enum exa_mover exa_moved_by(const struct pt_regs* regs) {
  if (regs->regs[0] != regs->orig_x0 || regs->syscallno == 426 /* io_uring_enter */)
    return EXA_MOVED_BY_RING;
  return regs->syscallno == 71 /* sendfile */ || regs->syscallno == 76 /* splice */
             ? EXA_MOVED_BY_SPLICE
             : EXA_MOVED_OTHERWISE;
}

#endif
#endif
