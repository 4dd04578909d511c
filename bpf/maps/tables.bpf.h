/* Of dynamic tables that are told. */
#ifndef EXA_BPF_MAPS_TABLES_H
#define EXA_BPF_MAPS_TABLES_H

#include <bpf/bpf_helpers.h>

#include "exa/abi/event.h"
#include "exa/abi/tls.h"

/* Of these none is told any more. */
enum { EXA_TABLE_CALLS = 1 << 16 };

/* How often an encoder or decoder was called. Written by exa_table_enter; old ones give way to new
 * ones. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 16384);
  __type(key, struct exa_tls_key);
  __type(value, __u32);
} exa_table_calls SEC(".maps");

/* Where a record is put together. Text has room for the verifier to see that any offset, name and
 * value within the limit stay inside. */
struct exa_table_scratch {
  struct exa_table_event event;
  __u8 text[3 * EXA_TABLE_TEXT_BYTES];
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct exa_table_scratch);
} exa_table_scratch SEC(".maps");

#endif
