/* From HTTP/1 to HTTP/2 on one plain connection, "Upgrade: h2c" of RFC 7540 section 3.2: the
 * server's frames begin behind the head of its 101, the client's with the preface. No other
 * protocol that a 101 may switch to begins with a frame of SETTINGS. */
#ifndef EXA_BPF_LIB_UPGRADE_H
#define EXA_BPF_LIB_UPGRADE_H

#include <bpf/bpf_helpers.h>

#include "bpf/lib/frames_of_socket.bpf.h"
#include "bpf/lib/head_end.h"
#include "bpf/lib/verified_once.h"

/* Is it the head of a 101? By what follows "HTTP/1.1". */
static __always_inline int exa_is_switch(const __u8* payload, __u32 copied) {
  return copied > 12 && *(const __u32*)(payload + 8) == EXA_TEXT4(' ', '1', '0', '1');
}

/* From here on the socket is walked along. Of the server's direction so many bytes come before the
 * first frame. */
static __always_inline void exa_frames_switch(struct exa_socket_state* state, int client_direction,
                                              __u32 bytes_before) {
  state->frames[client_direction] = exa_http2_start(1);
  state->frames[!client_direction] =
      bytes_before ? exa_http2_start_behind(bytes_before) : exa_http2_start(0);
  __sync_fetch_and_or(&state->flags, EXA_SOCKET_FRAMES);
}

struct exa_empty_line_search {
  const __u8* bytes;
  __u64 behind; /* bytes up to its end; 0: not found */
};

static long exa_empty_line_step(__u32 at, struct exa_empty_line_search* search) {
  if (at > EXA_FIRST_CAPTURE_BYTES - 4) return 1;
  if (*(const __u32*)(search->bytes + at) != EXA_TEXT4('\r', '\n', '\r', '\n')) return 0;
  search->behind = at + 4;
  return 1;
}

/* A chunk begins with the head of a 101. Returns how many bytes that has, if frames of HTTP/2
 * follow it in the chunk: they are walked along from now on. */
EXA_VERIFIED_ONCE int exa_switch(struct exa_socket_state* state, struct exa_scratch* scratch,
                                 __u32 copied, __u32 length) {
  struct exa_empty_line_search search = {};
  __u32 head;

  if (!state || !scratch) return 0;
  search.bytes = scratch->payload;
  bpf_loop(EXA_FIRST_CAPTURE_BYTES, exa_empty_line_step, &search, 0);
  head = search.behind;
  if (head == 0 || head > copied) return 0;
  if (head == length) {
    __sync_fetch_and_or(&state->flags, EXA_SOCKET_SWITCHED);
    return 0;
  }
  if (head + EXA_HTTP2_HEADER_BYTES > copied) return 0;
  barrier_var(head);
  if (head > EXA_FIRST_CAPTURE_BYTES) return 0;
  const __u8* header = scratch->payload + head;
  if (header[3] != EXA_HTTP2_SETTINGS || !exa_http2_plausible(header)) return 0;
  exa_frames_switch(state, scratch->event.direction != EXA_EGRESS, head);
  return head;
}

/* The first chunk of either direction behind a 101 that was a chunk. Does it begin HTTP/2? */
static __always_inline int exa_begins_switched(struct exa_socket_state* state, int direction,
                                               __u64 word) {
  const int preface = exa_sniff_http2(word);
  __sync_fetch_and_and(&state->flags, ~(__u32)EXA_SOCKET_SWITCHED);
  if (!preface && !exa_sniff_http2_settings(word)) return 0;
  exa_frames_switch(state, preface ? direction : !direction, 0);
  return 1;
}

#endif
