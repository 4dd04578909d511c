/* What a thread that sleeps in a system call waits for. Pure; also compiled by the unit tests. */
#ifndef EXA_BPF_LIB_SLEEP_CALLS_H
#define EXA_BPF_LIB_SLEEP_CALLS_H

#include "exa/abi/sleep.h"

/* Besides the values of exa_thread_doing: what the arguments say. */
enum {
  EXA_DOING_BY_FILE = EXA_DOINGS, /* the file of the first one */
  EXA_DOING_BY_FIRST,             /* the first one: for so many descriptors, of none for a time */
  EXA_DOING_BY_SECOND,            /* the second one, likewise */
};

#if defined(__TARGET_ARCH_arm64) || defined(__aarch64__)

static __always_inline __u32 exa_doing_in_call(long number) {
  switch (number) {
    case 63: /* read */
    case 64: /* write */
    case 65: /* readv */
    case 66: /* writev */
    case 71: /* sendfile */
    case 76: /* splice */
      return EXA_DOING_BY_FILE;
    case 72: /* pselect6 */
      return EXA_DOING_BY_FIRST;
    case 73: /* ppoll */
      return EXA_DOING_BY_SECOND;
    case 98:  /* futex */
    case 449: /* futex_waitv */
    case 455: /* futex_wait */
    case 25:  /* fcntl */
    case 32:  /* flock */
    case 192: /* semtimedop */
    case 193: /* semop */
      return EXA_DOING_LOCK;
    case 67:  /* pread64 */
    case 68:  /* pwrite64 */
    case 69:  /* preadv */
    case 70:  /* pwritev */
    case 286: /* preadv2 */
    case 287: /* pwritev2 */
    case 81:  /* sync */
    case 82:  /* fsync */
    case 83:  /* fdatasync */
    case 84:  /* sync_file_range */
    case 227: /* msync */
    case 267: /* syncfs */
      return EXA_DOING_DISK;
    case 101: /* nanosleep */
    case 115: /* clock_nanosleep */
      return EXA_DOING_TIMER;
    case 202: /* accept */
    case 203: /* connect */
    case 206: /* sendto */
    case 207: /* recvfrom */
    case 211: /* sendmsg */
    case 212: /* recvmsg */
    case 242: /* accept4 */
    case 243: /* recvmmsg */
    case 269: /* sendmmsg */
      return EXA_DOING_NETWORK;
    case 22:  /* epoll_pwait */
    case 441: /* epoll_pwait2 */
      return EXA_DOING_EPOLL;
    case 95:  /* waitid */
    case 220: /* clone, as vfork */
    case 260: /* wait4 */
    case 435: /* clone3, as vfork */
      return EXA_DOING_CHILD;
  }
  return EXA_DOING_OTHER;
}

#else /* x86-64 */

static __always_inline __u32 exa_doing_in_call(long number) {
  switch (number) {
    case 0:   /* read */
    case 1:   /* write */
    case 19:  /* readv */
    case 20:  /* writev */
    case 40:  /* sendfile */
    case 275: /* splice */
      return EXA_DOING_BY_FILE;
    case 23:  /* select */
    case 270: /* pselect6 */
      return EXA_DOING_BY_FIRST;
    case 7:   /* poll */
    case 271: /* ppoll */
      return EXA_DOING_BY_SECOND;
    case 202: /* futex */
    case 449: /* futex_waitv */
    case 455: /* futex_wait */
    case 72:  /* fcntl */
    case 73:  /* flock */
    case 65:  /* semop */
    case 220: /* semtimedop */
      return EXA_DOING_LOCK;
    case 17:  /* pread64 */
    case 18:  /* pwrite64 */
    case 295: /* preadv */
    case 296: /* pwritev */
    case 327: /* preadv2 */
    case 328: /* pwritev2 */
    case 26:  /* msync */
    case 74:  /* fsync */
    case 75:  /* fdatasync */
    case 162: /* sync */
    case 277: /* sync_file_range */
    case 306: /* syncfs */
      return EXA_DOING_DISK;
    case 35:  /* nanosleep */
    case 230: /* clock_nanosleep */
      return EXA_DOING_TIMER;
    case 42:  /* connect */
    case 43:  /* accept */
    case 44:  /* sendto */
    case 45:  /* recvfrom */
    case 46:  /* sendmsg */
    case 47:  /* recvmsg */
    case 288: /* accept4 */
    case 299: /* recvmmsg */
    case 307: /* sendmmsg */
      return EXA_DOING_NETWORK;
    case 232: /* epoll_wait */
    case 281: /* epoll_pwait */
    case 441: /* epoll_pwait2 */
      return EXA_DOING_EPOLL;
    case 56:  /* clone, as vfork */
    case 58:  /* vfork */
    case 61:  /* wait4 */
    case 247: /* waitid */
    case 435: /* clone3, as vfork */
      return EXA_DOING_CHILD;
  }
  return EXA_DOING_OTHER;
}

#endif

/* mode: of its inode, as stat(2) tells it; of one that there is. */
static __always_inline __u32 exa_doing_on_file(__u32 mode) {
  switch (mode & 0170000) {
    case 0010000: /* S_IFIFO */
      return EXA_DOING_PIPE;
    case 0140000: /* S_IFSOCK */
      return EXA_DOING_NETWORK;
    case 0100000: /* S_IFREG */
    case 0060000: /* S_IFBLK */
      return EXA_DOING_DISK;
    case 0: /* eventfd, inotify and their like */
      return EXA_DOING_EVENTS;
  }
  return EXA_DOING_OTHER;
}

#endif
