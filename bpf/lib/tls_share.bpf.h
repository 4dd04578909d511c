/* How much of the maps of TLS one process may hold: as long as it holds less than is free, it may
 * have one more. One alone gets half, and whoever is new finds room. The counts may be a little off
 * where CPUs race: a share is no matter of one. */
#ifndef EXA_BPF_LIB_TLS_SHARE_H
#define EXA_BPF_LIB_TLS_SHARE_H

#include <bpf/bpf_helpers.h>

#include "bpf/maps/tls.bpf.h"

static __always_inline __u32 exa_tls_held_by(__u32 tgid, const int what) {
  const struct exa_tls_held* held = bpf_map_lookup_elem(&exa_tls_held, &tgid);
  return held ? held->count[what] : 0;
}

static __always_inline int exa_tls_may_hold(__u32 tgid, const int what) {
  const __u32 all = exa_tls_held_by(EXA_TLS_ALL, what);
  return all < EXA_TLS_ENTRIES && exa_tls_held_by(tgid, what) < EXA_TLS_ENTRIES - all;
}

static __always_inline void exa_tls_hold_one(__u32 tgid, const int what) {
  struct exa_tls_held first = {};
  struct exa_tls_held* held = bpf_map_lookup_elem(&exa_tls_held, &tgid);

  if (!held) {
    bpf_map_update_elem(&exa_tls_held, &tgid, &first, BPF_NOEXIST);
    held = bpf_map_lookup_elem(&exa_tls_held, &tgid);
  }
  if (held) __sync_fetch_and_add(&held->count[what], 1);
}

static __always_inline void exa_tls_hold(__u32 tgid, const int what) {
  exa_tls_hold_one(tgid, what);
  exa_tls_hold_one(EXA_TLS_ALL, what);
}

static __always_inline void exa_tls_let_go_one(__u32 tgid, const int what) {
  struct exa_tls_held* held = bpf_map_lookup_elem(&exa_tls_held, &tgid);
  if (held && held->count[what]) __sync_fetch_and_sub(&held->count[what], 1);
}

static __always_inline void exa_tls_let_go(__u32 tgid, const int what) {
  exa_tls_let_go_one(tgid, what);
  exa_tls_let_go_one(EXA_TLS_ALL, what);
}

#endif
