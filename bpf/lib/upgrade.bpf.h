/* From HTTP/1 to HTTP/2 on one plain connection, "Upgrade: h2c" of RFC 7540 section 3.2: the
 * server's frames begin behind the head of its 101, the client's with the preface. No other
 * protocol that a 101 may switch to begins with a frame of SETTINGS.
 *
 * The head may come in pieces (EXA_SOCKET_SWITCHING), behind interim ones in one call, and frames
 * behind it in the same call; if none do, whoever speaks next shows what is spoken
 * (EXA_SOCKET_SWITCHED). */
#ifndef EXA_BPF_LIB_UPGRADE_H
#define EXA_BPF_LIB_UPGRADE_H

#include <bpf/bpf_helpers.h>

#include "bpf/lib/frames_of_socket.bpf.h"
#include "bpf/lib/head_end.h"
#include "bpf/lib/verified_once.h"

#define EXA_EMPTY_LINE EXA_TEXT4('\r', '\n', '\r', '\n')

/* Does an answer begin that may be a 101, or come before one? By what follows "HTTP/1.1"; or by as
 * little of it as the chunk has. */
static __always_inline int exa_may_switch(const __u8* payload, __u64 word, __u32 copied,
                                          __u32 length) {
  const __u64 seen = copied < 8 ? (1ull << 8 * copied) - 1 : ~0ull;
  if (copied > 12) return (*(const __u32*)(payload + 8) & 0xffffff) == EXA_TEXT4(' ', '1', '0', 0);
  return copied == length && word == (EXA_TEXT8('H', 'T', 'T', 'P', '/', '1', '.', '1') & seen);
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

/* How much of "HTTP/1.1 101" the head has that is being read; or what else it is. */
enum exa_switch_match {
  EXA_SWITCH_FINAL = 12,
  EXA_SWITCH_INTERIM, /* another one follows */
  EXA_SWITCH_NONE,
};
static const __u8 exa_switch_text[EXA_SWITCH_FINAL] = {'H', 'T', 'T', 'P', '/', '1',
                                                       '.', '1', ' ', '1', '0', '1'};

struct exa_heads_search {
  const __u8* bytes;
  __u32 copied;
  __u32 tail;   /* the last four bytes */
  __u32 match;  /* exa_switch_match, or less */
  __u32 behind; /* bytes up to the end of a 101's head; 0: not found */
};

static long exa_heads_step(__u32 at, struct exa_heads_search* search) {
  const __u32 match = search->match;

  if (at >= search->copied || at >= EXA_MAX_CAPTURE_BYTES) return 1;
  const __u8 byte = search->bytes[at];
  search->tail = search->tail >> 8 | (__u32)byte << 24;
  if (match < EXA_SWITCH_FINAL) {
    if (byte == exa_switch_text[match])
      search->match = match + 1;
    else if (match == EXA_SWITCH_FINAL - 1 && byte >= '0' && byte <= '3')
      search->match = EXA_SWITCH_INTERIM;
    else
      search->match = EXA_SWITCH_NONE;
    return search->match == EXA_SWITCH_NONE;
  }
  if (search->tail != EXA_EMPTY_LINE) return 0;
  if (match == EXA_SWITCH_FINAL) {
    search->behind = at + 1;
    return 1;
  }
  search->match = 0;
  return 0;
}

/* A chunk of heads of which one may be a 101's, or more of that. Returns how many bytes of the
 * chunk are of it and what came before, if frames of HTTP/2 follow in the chunk: they are walked
 * along from now on. */
EXA_VERIFIED_ONCE int exa_switch(struct exa_socket_state* state, struct exa_scratch* scratch,
                                 __u32 copied, __u32 length) {
  struct exa_heads_search search = {};
  __u32 head;

  if (!state || !scratch) return 0;
  search.bytes = scratch->payload;
  search.copied = copied;
  if (state->flags & EXA_SOCKET_SWITCHING) {
    search.tail = (__u32)state->run.word;
    search.match = (__u32)(state->run.word >> 32);
  }
  bpf_loop(EXA_MAX_CAPTURE_BYTES, exa_heads_step, &search, 0);
  head = search.behind;
  if (head == 0 && search.match < EXA_SWITCH_NONE && copied == length) {
    state->run.word = search.tail | (__u64)search.match << 32;
    __sync_fetch_and_or(&state->flags, EXA_SOCKET_SWITCHING);
    return 0;
  }
  __sync_fetch_and_and(&state->flags, ~(__u32)EXA_SOCKET_SWITCHING);
  if (head == 0) return 0;
  if (head == length) {
    __sync_fetch_and_or(&state->flags, EXA_SOCKET_SWITCHED);
    return 0;
  }
  barrier_var(head);
  if (head > EXA_MAX_CAPTURE_BYTES || head >= copied) return 0;
  const __u32 rest = copied - head;
  const __u64 seen = rest < 8 ? (1ull << 8 * rest) - 1 : ~0ull;
  const __u64 word = *(const __u64*)(scratch->payload + head) & seen;
  if ((word & ~0xff0000ull) != (EXA_TEXT8(0, 0, 0, EXA_HTTP2_SETTINGS, 0, 0, 0, 0) & seen))
    return 0;
  exa_frames_switch(state, scratch->event.direction != EXA_EGRESS, head);
  return head;
}

/* The first bytes of either direction behind a 101. Do they begin HTTP/2? The client's may come one
 * by one. */
static __always_inline int exa_begins_switched(struct exa_socket_state* state, int direction,
                                               int turned, __u64 word, __u32 copied) {
  const __u64 seen = copied < 8 ? (1ull << 8 * copied) - 1 : ~0ull;
  const int preface = turned && word == (EXA_TEXT8('P', 'R', 'I', ' ', '*', ' ', 'H', 'T') & seen);
  __sync_fetch_and_and(&state->flags, ~(__u32)EXA_SOCKET_SWITCHED);
  if (!preface && !exa_sniff_http2_settings(word)) return 0;
  exa_frames_switch(state, preface ? direction : !direction, 0);
  return 1;
}

#endif
