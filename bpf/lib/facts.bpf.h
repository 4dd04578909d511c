/* The facts of a call, taken when it returns: plain loads, no helper but for the current thread. A
 * field that this kernel lacks is left out, and `known` says so. */
#ifndef EXA_BPF_LIB_FACTS_H
#define EXA_BPF_LIB_FACTS_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/lib/capture_config.bpf.h"
#include "bpf/lib/decision.h"
#include "bpf/lib/kernel_types.bpf.h"
#include "bpf/lib/sleeps.bpf.h"
#include "bpf/lib/socket_state.h"
#include "bpf/lib/thread_number.bpf.h"
#include "bpf/lib/verified_once.h"
#include "exa/abi/facts.h"

/* How far up a quota is looked for. */
enum { EXA_CGROUP_LEVELS = 8 };

enum { EXA_CHRONO_RECEIVER_LIMITED = 1 }; /* of tcp_sock.chrono_stat */
enum { EXA_NO_QUOTA = -1 };               /* RUNTIME_INF of cfs_bandwidth.hierarchical_quota */

static __always_inline void exa_take_throttle(struct exa_thread_facts* facts,
                                              const struct task_struct* task) {
  const struct task_group* group = task->sched_task_group;

  facts->known |= EXA_FACTS_THROTTLE;
  /* As most are: nobody above has a quota. Group 0 is unlike all others, so that what was throttled
   * before a quota came or went is not taken for what was since. */
  if (bpf_core_field_exists(group->cfs_bandwidth.hierarchical_quota) &&
      group->cfs_bandwidth.hierarchical_quota == EXA_NO_QUOTA)
    return;
  /* Beyond the root every load gives 0: without a branch, which would multiply the verifier's work.
   */
#pragma clang loop unroll(full)
  for (int level = 0; level < EXA_CGROUP_LEVELS; ++level) {
    facts->throttled_ns += group->cfs_bandwidth.throttled_time;
    facts->throttled += group->cfs_bandwidth.nr_throttled;
    group = group->parent;
  }
  facts->group = task->sched_task_group->css.id;
}

/* Only of threads that serve it is asked what they slept on, from a request's first call to an
 * answer's last one. Who asked for a connection sends the requests, as far as is known. */
static __always_inline int exa_sleeps_are_asked_for(__u32 flags) {
  const __u32 whose = EXA_SOCKET_CONNECTED | EXA_SOCKET_RECOGNISED;
  return !(flags & EXA_SOCKET_CLIENT) && (flags & whose) != EXA_SOCKET_CONNECTED;
}

/* Of the current thread, in a call on that socket or TLS stream. known: what is told besides. */
EXA_VERIFIED_ONCE int exa_take_thread_facts(struct exa_thread_facts* facts,
                                            const struct exa_socket_state* state, __u16 known,
                                            int direction, int turned) {
  const struct task_struct* task = bpf_get_current_task_btf();

  if (!facts || !state) return 0;
  if (!exa_config.call_facts) {
    facts->known = 0;
    return 0;
  }
  facts->known = EXA_FACTS_THREAD | known;
  facts->thread = exa_thread_number(task);
  facts->exec_start_ns = task->se.exec_start;
  facts->on_cpu_ns = task->se.sum_exec_runtime;
  facts->voluntary_switches = task->nvcsw;
  facts->minor_faults = task->min_flt;
  facts->major_faults = task->maj_flt;
  facts->cpu_wait_ns = 0;
  if (bpf_core_field_exists(task->sched_info.run_delay)) {
    facts->cpu_wait_ns = task->sched_info.run_delay;
    facts->known |= EXA_FACTS_CPU_WAIT;
  }
  facts->throttled_ns = 0;
  facts->throttled = 0;
  facts->group = 0;
  if (bpf_core_field_exists(task->sched_task_group) &&
      bpf_core_field_exists(task->sched_task_group->cfs_bandwidth))
    exa_take_throttle(facts, task);
  if (exa_config.tell_sleeps && exa_sleeps_are_asked_for(state->flags))
    facts->known |=
        exa_follow_sleeps(facts->thread, direction == EXA_EGRESS ||
                                             exa_run_may_begin(&state->run, turned, state->flags));
  return 0;
}

/* How a call on a socket waits; for `known`. */
static __always_inline __u16 exa_ways_to_wait(const struct sock* sk, int flags) {
  const struct file* file = sk->sk_socket->file; /* of none every load gives 0 */
  __u16 known = 0;

  if (!(flags & MSG_DONTWAIT)) known |= EXA_FACTS_MAY_SLEEP;
  if (bpf_core_field_exists(file->f_ep) && file->f_ep) known |= EXA_FACTS_POLLED;
  return known;
}

static __always_inline void exa_take_socket_facts(struct exa_socket_facts* facts,
                                                  const struct tcp_sock* tcp) {
  facts->retransmits = tcp->total_retrans;
  facts->out_of_order = tcp->rcv_ooopack;
  facts->receiver_limited_ms =
      (__u64)tcp->chrono_stat[EXA_CHRONO_RECEIVER_LIMITED] * exa_config.tick_ms_q20 >> 20;
  facts->connect_us = 0;
}

/* Of the first bytes that are sent, before they are counted. */
EXA_VERIFIED_ONCE int exa_take_connect(struct exa_socket_facts* facts,
                                       const struct exa_socket_state* state) {
  if (!facts || !state) return 0;
  if ((state->flags & EXA_SOCKET_CONNECTED) && !state->flow[EXA_EGRESS].started)
    facts->connect_us = state->connect_ns / 1000;
  return 0;
}

#endif
