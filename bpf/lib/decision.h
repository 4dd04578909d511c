/* The decision about one chunk, plain or from a TLS library: is it worth a record, and of how many
 * bytes. Pure: also compiled into the unit tests. Who captures asks, in this order:
 * exa_run_at_once, exa_run_out_of_reach or exa_run_word and exa_run_look, exa_run_recognises,
 * exa_run_first, exa_run_captured. */
#ifndef EXA_BPF_LIB_DECISION_H
#define EXA_BPF_LIB_DECISION_H

#include "bpf/lib/head_end.h"
#include "bpf/lib/sniff/http1.h"
#include "bpf/lib/sniff/http2.h"
#include "bpf/lib/sniff/tls.h"
#include "bpf/lib/socket_state.h"
#include "bpf/lib/verified_once.h"
#include "exa/abi/config.h"
#include "exa/abi/event.h"

/* Where a chunk lies: offset in its direction. A sequence number up to this far behind the
 * expected one is a race of two threads on one socket; anything else is bytes that went unseen. */
enum { EXA_SEQUENCE_RACE_BYTES = 1 << 20 };

/* What may come before a protocol: a header of a proxy. */
enum { EXA_PREAMBLE_BYTES = 4096 };

static __always_inline __u64 exa_chunk_position(const struct exa_flow* flow, __u32 sequence) {
  if (!flow->started) return 0;
  const __u32 unseen = sequence - flow->next_sequence;
  if (unseen == 0) return flow->position;
  const __u32 behind = -unseen;
  if (behind <= EXA_SEQUENCE_RACE_BYTES)
    return behind <= flow->position ? flow->position - behind : 0;
  return flow->position + unseen;
}

/* True if this chunk begins a run; the run's budget is then not yet granted. */
static __always_inline int exa_run_turns(struct exa_run* run, int direction) {
  if (run->direction_known == direction + 1) return 0;
  run->direction_known = direction + 1;
  run->budget_bytes = 0;
  run->last = 0;
  return 1;
}

/* Where the other direction stands by what TCP knows: the call that moved it there may have been
 * kept from the programs. */
static __always_inline void exa_note_other(struct exa_run* run, struct exa_flow* flow,
                                           __u32 sequence) {
  flow->other_moved = flow->started && flow->other_sequence != sequence;
  flow->other_sequence = sequence;
  if (flow->other_moved) run->direction_known = 0;
}

/* An ignored socket is looked at again after retry_after_runs runs. */
static __always_inline int exa_run_retries(struct exa_run* run,
                                           const volatile struct exa_capture_config* config) {
  if (++run->since_ignored < config->retry_after_runs) return 0;
  run->since_ignored = 0;
  run->unrecognised = 0;
  return 1;
}

/* Is it worth a search whether a chunk that begins with a request holds a second one? Only where
 * the chunk is longer than all before it on this socket, so that a socket of single requests soon
 * pays nothing. */
static __always_inline int exa_run_may_pipeline(const struct exa_run* run, __u32 length) {
  return run->request && !run->pipelined && length > run->single_bytes;
}

/* What the search has found. */
static __always_inline void exa_run_learn(struct exa_run* run, int again, __u32 length) {
  if (again)
    run->pipelined = 1;
  else
    run->single_bytes = length < 0xffff ? length : 0xffff;
}

/* Can the first byte begin a start line that exa_sniff_request() or exa_sniff_response() know, or a
 * ClientHello? */
static __always_inline int exa_sniff_prefix(__u64 word) {
  const __u8 first = (__u8)word;
  return (first >= 'A' && first <= 'Z') || first == 0x16;
}

/* Finds run->word, by which a chunk of a socket that is not recognised is judged: its own first
 * bytes; or, where its run began with fewer than 8 that can begin a message, those and what follows
 * them, as they may come one by one. */
EXA_VERIFIED_ONCE int exa_run_word(struct exa_run* run, __u64 word, __u32 bytes, int turned) {
  __u32 known;

  if (!run) return 0;
  known = turned ? 0 : run->word_bytes;
  if (known > 0 && known < 8) {
    run->word |= word << (8 * known);
  } else {
    known = turned && exa_sniff_prefix(word) ? 0 : 8;
    run->word = word;
  }
  run->word_earlier = known & 7;
  run->word_bytes = known + bytes; /* without a branch, which the verifier would follow on */
  return 0;
}

enum exa_sight {
  EXA_SIGHT_BODY, /* nothing begins here */
  EXA_SIGHT_HEAD, /* capture, the run has budget */
  EXA_SIGHT_TLS,
  EXA_SIGHT_HTTP2,   /* from the client's preface on, or the server's */
  EXA_SIGHT_NOTHING, /* too many runs without a known protocol: ignore the socket */
};

/* Can a message begin with the chunk, or its head go on, as far as is known before the chunk is
 * looked at? */
static __always_inline int exa_run_may_begin(const struct exa_run* run, int turned, __u32 flags) {
  return turned || run->budget_bytes || run->pipelined || (flags & EXA_SOCKET_FRAMES);
}

/* How much of a chunk is copied before it is judged: 8 bytes, but for a run that is likely to be
 * captured. */
static __always_inline __u32 exa_run_at_once(const struct exa_run* run,
                                             const volatile struct exa_capture_config* config,
                                             int turned, __u32 length, __u32 flags) {
  __u32 wanted = 8;
  if (run->pipelined)
    wanted = config->capture_budget_bytes;
  else if (run->budget_bytes)
    wanted = run->budget_bytes;
  else if (turned && (flags & EXA_SOCKET_RECOGNISED))
    wanted = EXA_FIRST_CAPTURE_BYTES;
  if (wanted > EXA_FIRST_CAPTURE_BYTES && !run->pipelined) wanted = EXA_FIRST_CAPTURE_BYTES;
  return wanted < length ? wanted : length;
}

/* Nothing of the chunk can be read: a record tells of it where a head could have been. */
static __always_inline enum exa_sight exa_run_out_of_reach(
    struct exa_run* run, const volatile struct exa_capture_config* config, int turned,
    __u32 flags) {
  if (!turned && run->budget_bytes == 0) return EXA_SIGHT_BODY;
  run->budget_bytes = 0;
  run->last = 0;
  if (turned && !(flags & EXA_SOCKET_RECOGNISED) &&
      ++run->unrecognised >= config->ignore_after_runs)
    return EXA_SIGHT_NOTHING;
  return EXA_SIGHT_HEAD;
}

/* Looks at a chunk's word and grants the run its budget. flags are those of the socket. */
static __always_inline enum exa_sight exa_run_look(struct exa_run* run,
                                                   const volatile struct exa_capture_config* config,
                                                   __u64 word, int turned, __u64 position,
                                                   __u32 flags) {
  const int http2 = exa_sniff_http2(word);
  const int request = http2 || exa_sniff_request(word);
  run->request = request;
  /* Of a socket that speaks HTTP/1 it may be an upgrade, or a body that somebody chose. */
  if (!(flags & EXA_SOCKET_RECOGNISED) &&
      (http2 || (position == 0 && exa_sniff_http2_settings(word))))
    return EXA_SIGHT_HTTP2;
  if (request || exa_sniff_response(word)) {
    if (request && !turned && (flags & EXA_SOCKET_RECOGNISED)) run->pipelined = 1;
    run->unrecognised = 0;
    run->budget_bytes = config->capture_budget_bytes - run->word_earlier;
    run->word_earlier = 0;
    return EXA_SIGHT_HEAD;
  }
  if (run->pipelined) {
    run->budget_bytes = config->capture_budget_bytes;
    return EXA_SIGHT_HEAD;
  }
  /* Behind what a proxy says first. */
  if (position < EXA_PREAMBLE_BYTES && !(flags & EXA_SOCKET_RECOGNISED) &&
      exa_sniff_client_hello(word))
    return EXA_SIGHT_TLS;
  if (turned) {
    if (position == 0 && exa_sniff_tls(word)) return EXA_SIGHT_TLS;
    if (!(flags & EXA_SOCKET_RECOGNISED) && ++run->unrecognised >= config->ignore_after_runs)
      return EXA_SIGHT_NOTHING;
    if (exa_sniff_word(word)) run->budget_bytes = config->capture_budget_bytes;
  }
  return run->budget_bytes ? EXA_SIGHT_HEAD : EXA_SIGHT_BODY;
}

/* The flags that a socket gets by a head: of the protocol, and of its side. */
static __always_inline __u32 exa_run_recognises(const struct exa_run* run, int egress,
                                                __u32 flags) {
  if (run->unrecognised != 0 || (flags & EXA_SOCKET_RECOGNISED)) return 0;
  return egress && run->request ? EXA_SOCKET_RECOGNISED | EXA_SOCKET_CLIENT : EXA_SOCKET_RECOGNISED;
}

/* How much of wanted is copied before the end of its head is looked for. */
static __always_inline __u32 exa_run_first(const struct exa_run* run, __u32 wanted) {
  return wanted < EXA_FIRST_CAPTURE_BYTES || run->pipelined ? wanted : EXA_FIRST_CAPTURE_BYTES;
}

/* So much of the chunk goes into its record. True if that is all of it. */
static __always_inline int exa_run_captured(struct exa_run* run, __u32 captured, __u32 length) {
  if (captured < length) {
    run->budget_bytes = 0;
    return 0;
  }
  run->budget_bytes -= captured < run->budget_bytes ? captured : run->budget_bytes;
  run->last = 0; /* the parser sees them */
  return 1;
}

#endif
