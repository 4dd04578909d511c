/* The decision about one chunk: is it worth a record, and of how many bytes. Pure: also compiled
 * into the unit tests. */
#ifndef EXA_BPF_LIB_RUN_H
#define EXA_BPF_LIB_RUN_H

#include "bpf/lib/sniff.h"
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
static __always_inline int exa_run_may_pipeline(const struct exa_run* run, __u64 word,
                                                __u32 length) {
  return !run->pipelined && length > run->single_bytes && exa_sniff_request(word);
}

/* What the search has found. */
static __always_inline void exa_run_learn(struct exa_run* run, int again, __u32 length) {
  if (again)
    run->pipelined = 1;
  else
    run->single_bytes = length < 0xffff ? length : 0xffff;
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
  EXA_SIGHT_NOTHING, /* too many runs without a known protocol: ignore the socket */
};

/* Looks at a chunk's word and grants the run its budget. flags are those of the socket. */
static __always_inline enum exa_sight exa_run_look(struct exa_run* run,
                                                   const volatile struct exa_capture_config* config,
                                                   __u64 word, int turned, __u64 position,
                                                   __u32 flags) {
  const int request = exa_sniff_request(word);
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

#endif
