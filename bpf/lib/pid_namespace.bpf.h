/* The number of a process in the agent's own PID namespace, by which the agent finds it in its
 * /proc. On a host that is the kernel's own number; a node that is itself a container (kind,
 * minikube, WSL) has others, and processes around it have none there. */
#ifndef EXA_BPF_LIB_PID_NAMESPACE_H
#define EXA_BPF_LIB_PID_NAMESPACE_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/lib/capture_config.bpf.h"
#include "bpf/lib/kernel_types.bpf.h"
#include "bpf/lib/verified_once.h"

enum { EXA_PID_NAMESPACE_LEVELS = 32 }; /* MAX_PID_NS_LEVEL of the kernel */

/* At which level below the host's the namespace is, the same for all its processes: 0 until the
 * first of them was seen. */
static volatile __u32 exa_pid_namespace_level;

static __always_inline int exa_pid_at_level(const struct pid* pid, __u32 level) {
  struct upid at = {};

  if (level > BPF_CORE_READ(pid, level)) return 0;
  bpf_probe_read_kernel(&at, sizeof(at), (const void*)pid->numbers + level * sizeof(at));
  return BPF_CORE_READ(at.ns, ns.inum) == exa_config.pid_namespace_inode ? at.nr : 0;
}

/* Of a struct pid. */
EXA_VERIFIED_ONCE int exa_pid_in_namespace(__u64 pid_address) {
  const struct pid* pid = (const struct pid*)pid_address;
  int number = 0;

  if (exa_pid_namespace_level) return exa_pid_at_level(pid, exa_pid_namespace_level);
  for (__u32 level = 1; level <= EXA_PID_NAMESPACE_LEVELS && !number; ++level) {
    number = exa_pid_at_level(pid, level);
    if (number) exa_pid_namespace_level = level;
  }
  return number;
}

/* 0: the process is not in the agent's namespace, and cannot be observed. */
static __always_inline __u32 exa_tgid(struct task_struct* task) {
  if (!exa_config.pid_namespace_inode) return task->tgid;
  return exa_pid_in_namespace((__u64)BPF_CORE_READ(task, group_leader, thread_pid));
}

#endif
