/* Whether a chunk may go into the ring of this CPU, and whether its reader is to be woken. On the
 * usual path, below the mark, that is an addition and two comparisons. */
#ifndef EXA_BPF_LIB_RING_ROOM_H
#define EXA_BPF_LIB_RING_ROOM_H

#include "bpf/lib/pid_namespace.bpf.h"
#include "bpf/lib/ring_share.h"
#include "bpf/maps/events.bpf.h"
#include "bpf/maps/processes.bpf.h"

enum exa_ring_room {
  EXA_ROOM_WAKE = 1, /* the reader, with this record */
  EXA_ROOM_REFUSED = 2,
};

/* One a ring, each on a cache line of its own. Written without a lock: several CPUs share a ring
 * only where there are more than EXA_MAX_EVENT_RINGS, and then it is looked at a little late. */
struct exa_ring_look {
  __u32 unlooked_bytes; /* written since its fill was last looked at */
  __u32 crowded;
  __u64 reserved[7];
};
static struct exa_ring_look exa_ring_looks[EXA_MAX_EVENT_RINGS];

static __always_inline void exa_note_refusal(struct task_struct* task, const int what) {
  const __u32 tgid = exa_tgid(task);
  struct exa_noisy_process first = {};
  struct exa_noisy_process* noisy = bpf_map_lookup_elem(&exa_noisy, &tgid);

  if (noisy) {
    __sync_fetch_and_add(&noisy->refused[what], 1);
    return;
  }
  first.refused[what] = 1;
  bpf_probe_read_kernel_str(first.comm, sizeof(first.comm), task->group_leader->comm);
  bpf_map_update_elem(&exa_noisy, &tgid, &first, BPF_NOEXIST);
}

/* exa_ring_room. Looks at the ring, and above the mark at the share of the process. */
static __noinline int exa_ring_look(struct task_struct* task, struct exa_ring_look* look,
                                    __u32 slot, __u32 size_bytes) {
  struct exa_process_state* process;
  struct exa_ring_share* share;
  __u64 unread_bytes;
  int room = 0;
  void* ring;

  if (!task || !look) return 0;
  ring = bpf_map_lookup_elem(&exa_events, &slot);
  if (!ring) return 0;
  unread_bytes = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);
  look->crowded = exa_ring_is_crowded(unread_bytes, exa_config.event_ring_bytes);
  if (look->unlooked_bytes >= exa_config.event_ring_bytes / EXA_RING_LOOKS) {
    look->unlooked_bytes = 0;
    if (unread_bytes > exa_config.wakeup_fill_bytes) room = EXA_ROOM_WAKE;
  }
  if (!look->crowded) return room;
  process = bpf_task_storage_get(&exa_processes, task->group_leader, 0, 0);
  if (!process) return room;
  share = &process->share[slot & (EXA_MAX_EVENT_RINGS - 1)];
  if (exa_ring_share_grants(share, exa_config.event_ring_bytes,
                            bpf_ringbuf_query(ring, BPF_RB_CONS_POS), unread_bytes, size_bytes))
    return room;
  exa_note_refusal(task, EXA_REFUSED_CHUNK);
  return EXA_ROOM_REFUSED;
}

static __always_inline int exa_ring_room(struct task_struct* task, __u32 size_bytes) {
  const __u32 slot = bpf_get_smp_processor_id() & exa_config.event_ring_mask;
  struct exa_ring_look* look = &exa_ring_looks[slot & (EXA_MAX_EVENT_RINGS - 1)];

  look->unlooked_bytes += size_bytes;
  if (!look->crowded && look->unlooked_bytes < exa_config.event_ring_bytes / EXA_RING_LOOKS)
    return 0;
  return exa_ring_look(task, look, slot, size_bytes);
}

#endif
