/* The dynamic tables of HPACK that a Go program has, told as its encoders and decoders are called.
 * Of a connection that is older than the agent that is the only place where they are.
 *
 * Both types begin with their table, whose entries are a slice, the newest last: golang.org/x/net's
 * http2/hpack, and its copy in the standard library, from Go 1.17 on. */
#ifndef EXA_BPF_LIB_GO_TABLES_H
#define EXA_BPF_LIB_GO_TABLES_H

#include <bpf/bpf_helpers.h>

#include "bpf/lib/process.bpf.h"
#include "bpf/lib/records.bpf.h"
#include "bpf/lib/ring_room.bpf.h"
#include "bpf/lib/tls_life.bpf.h"
#include "bpf/lib/tls_registers.bpf.h"
#include "bpf/maps/tables.bpf.h"
#include "exa/abi/tls.h"

struct exa_go_slice {
  __u64 address;
  __u64 length;
};
struct exa_go_field { /* hpack.HeaderField */
  struct exa_go_slice name;
  struct exa_go_slice value;
  __u64 sensitive;
};

struct exa_table_steps {
  struct exa_table_scratch* scratch;
  __u64 address; /* of the entries */
  __u64 entries;
};

static long exa_table_step(__u32 step, struct exa_table_steps* steps) {
  struct exa_table_scratch* scratch = steps->scratch;
  struct exa_go_field field;
  __u32 at = scratch->event.text_bytes, name, value;

  if (step >= steps->entries || step >= EXA_TABLE_ENTRIES) return 1;
  if (bpf_probe_read_user(&field, sizeof(field),
                          (void*)(steps->address + (steps->entries - 1 - step) * sizeof(field))))
    return 1;
  if (field.name.length > EXA_TABLE_TEXT_BYTES || field.value.length > EXA_TABLE_TEXT_BYTES)
    return 1;
  name = field.name.length;
  value = field.value.length;
  if (at + name + value > EXA_TABLE_TEXT_BYTES) return 1;
  barrier_var(at);
  barrier_var(name);
  barrier_var(value);
  if (at > EXA_TABLE_TEXT_BYTES || name > EXA_TABLE_TEXT_BYTES || value > EXA_TABLE_TEXT_BYTES)
    return 1;
  if (bpf_probe_read_user(scratch->text + at, name, (void*)field.name.address)) return 1;
  if (bpf_probe_read_user(scratch->text + at + name, value, (void*)field.value.address)) return 1;
  scratch->event.entry[step].name_bytes = name;
  scratch->event.entry[step].value_bytes = value;
  scratch->event.text_bytes = at + name + value;
  scratch->event.entries = step + 1;
  return 0;
}

/* Is this call of the object one of those that tell its table? The first, the second, the fourth
 * and so on: the first ones may come to nothing, and an encoder is called for each field. */
static __always_inline int exa_table_is_due(const struct exa_tls_key* key) {
  const __u32 first = 1;
  __u32* calls = bpf_map_lookup_elem(&exa_table_calls, key);
  if (!calls) {
    bpf_map_update_elem(&exa_table_calls, key, &first, BPF_ANY);
    return 1;
  }
  const __u32 call = __sync_fetch_and_add(calls, 1) + 1;
  return call <= EXA_TABLE_CALLS && (call & (call - 1)) == 0;
}

static __noinline int exa_tell_table(struct pt_regs* regs) {
  struct task_struct* task = bpf_get_current_task_btf();
  struct exa_counter_row* row = exa_counters_of_this_cpu();
  struct exa_table_steps steps = {};
  struct exa_table_scratch* scratch;
  struct exa_table_event* event;
  struct exa_tls_key key = {};
  struct exa_go_slice slice;
  __u64 object, unused[3];
  __u32 slot = 0, size;
  int room;

  if (!row) return 0;
  exa_tls_arguments(regs, EXA_TLS_SHAPE_GO, &object, &unused[0], &unused[1], &unused[2]);
  exa_tls_key_of(&key, task, object);
  const __u64 now = bpf_ktime_get_ns();
  if (!key.tgid || !exa_table_is_due(&key) ||
      exa_process_standing(task, row, now) == EXA_STANDING_EXCLUDED)
    return 0;
  if (bpf_probe_read_user(&slice, sizeof(slice), (void*)object)) return 0;
  if (slice.length == 0 || slice.length > 0xffff) return 0;
  scratch = bpf_map_lookup_elem(&exa_table_scratch, &slot);
  if (!scratch) return 0;
  event = &scratch->event;
  event->text_bytes = 0;
  event->entries = 0;
  steps.scratch = scratch;
  steps.address = slice.address;
  steps.entries = slice.length;
  bpf_loop(EXA_TABLE_ENTRIES, exa_table_step, &steps, 0);
  event->object = object;
  event->goroutine = exa_goroutine(regs);
  event->encoder = bpf_get_attach_cookie(regs) >> 8 == EXA_TLS_PROBE_ENCODER;
  size = event->text_bytes;
  barrier_var(size);
  if (size > EXA_TABLE_TEXT_BYTES) return 0;
  *(__u64*)(scratch->text + size) = 0;
  size = sizeof(*event) + ((size + 7) & ~7u);
  room = exa_ring_room(task, size);
  exa_fill_header(&event->header, EXA_EVENT_TABLE, size, now, 0, key.tgid);
  if ((room & EXA_ROOM_REFUSED) ||
      exa_events_output(event, size, room & EXA_ROOM_WAKE ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP))
    EXA_COUNT_SHARED(row, DROPPED_TABLE_RING_FULL);
  else
    EXA_COUNT_SHARED(row, EMITTED_TABLE);
  return 0;
}

#endif
