/* What a thread does when it is looked at, and who is to be looked at. */
#ifndef EXA_ABI_SLEEP_H
#define EXA_ABI_SLEEP_H

#include "exa/abi/types.h"

enum exa_thread_doing {
  EXA_DOING_RUN = 0,       /* on a CPU */
  EXA_DOING_LOCK = 1,      /* asleep, as are all that follow: on a futex or a lock of a file */
  EXA_DOING_DISK = 2,      /* for a disk, or in a read or a write of a file */
  EXA_DOING_TIMER = 3,     /* until a time */
  EXA_DOING_PIPE = 4,      /* on a pipe */
  EXA_DOING_NETWORK = 5,   /* in a call on a socket */
  EXA_DOING_EVENTS = 6,    /* for one of several descriptors: poll, select */
  EXA_DOING_CHILD = 7,     /* for the end or the exec of a process of its own */
  EXA_DOING_STOP = 8,      /* stopped by a signal, a debugger or a freezer */
  EXA_DOING_OTHER = 9,     /* so is one that was taken off its CPU outside a call */
  EXA_DOING_EPOLL = 10,    /* for any of several descriptors, as event loops do */
  EXA_DOING_POLL_ONE = 11, /* in poll for a single descriptor */
  EXA_DOINGS
};

/* Of them, what a thread sleeps on: EXA_DOING_LOCK and those that follow it. */
enum { EXA_SLEEP_CAUSES = EXA_DOING_STOP - EXA_DOING_LOCK + 1 };

/* A thread's number (exa_thread_facts.thread) is its tid, and what tells it from the next one with
 * that tid. */
enum { EXA_THREAD_NUMBER_BITS = 10 };

/* The context of the program that looks. */
enum { EXA_MOST_LOOKED_AT = 32 };
struct exa_look_list {
  __u32 thread[EXA_MOST_LOOKED_AT]; /* 0: nobody */
};
EXA_ASSERT_SIZE(struct exa_look_list, 128);

#endif
