/* The maps that join TLS libraries to sockets. The socket programs own them, the TLS programs are
 * loaded later, on their own, and share them. */
#ifndef EXA_BPF_MAPS_TLS_H
#define EXA_BPF_MAPS_TLS_H

#include <bpf/bpf_helpers.h>

#include "bpf/lib/tls_stream.h"

/* One TLS connection. Entered at its first read or write; deleted by the probe of the library's
 * free function, by the end of its socket, and by the prober for processes that are gone. Overflow:
 * TLS_DROPPED_NO_STATE, of one process TLS_DROPPED_STREAM_SHARE. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, EXA_TLS_ENTRIES);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct exa_tls_key);
  __type(value, struct exa_tls_stream);
} exa_tls_streams SEC(".maps");

/* The call a thread is in. Freed by the kernel with the thread. */
struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct exa_tls_call);
} exa_tls_threads SEC(".maps");

/* The call a goroutine is in: key is the goroutine's descriptor, as it moves from thread to thread.
 * The runtime reuses descriptors: a process holds as many as it ever had at a time. Deleted by the
 * prober for processes that are gone. Overflow, also of one process: its reads are unpaired. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, EXA_TLS_ENTRIES);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct exa_tls_key);
  __type(value, struct exa_tls_call);
} exa_tls_gos SEC(".maps");

/* How much of these two maps each process holds; under EXA_TLS_ALL how much is held in all. Counted
 * by the programs, put right by the prober each time it looks for processes that are gone. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 16384);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, __u32);
  __type(value, struct exa_tls_held);
} exa_tls_held SEC(".maps");

/* Executables without a TLS library in them. Entered by the prober; the oldest make room. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 4096);
  __type(key, struct exa_tls_file);
  __type(value, __u32);
} exa_tls_dull SEC(".maps");

/* How far the stream of a socket had come when its process freed the object: a process that was
 * forked from it may go on. By socket cookie. Entered by the TLS programs; the oldest make room. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 1024);
  __type(key, __u64);
  __type(value, struct exa_tls_remnant);
} exa_tls_remnants SEC(".maps");

/* The TLS connection of a socket, once proven. Freed by the kernel with the socket. */
struct {
  __uint(type, BPF_MAP_TYPE_SK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct exa_tls_key);
} exa_tls_links SEC(".maps");

#endif
