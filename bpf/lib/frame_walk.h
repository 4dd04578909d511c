/* The walk along the frames of one call's bytes, segment by segment, and what of them goes into the
 * record: see exa/abi/http2.h. Pure: compiled into the BPF programs, and into the unit tests, which
 * say how bytes are read and where a full record goes.
 *
 * One step takes a segment, or of one part of the direction what the segment has of it. All that
 * changes from step to step lies in map values: the verifier looks at one step, whatever came
 * before. */
#ifndef EXA_BPF_LIB_FRAME_WALK_H
#define EXA_BPF_LIB_FRAME_WALK_H

#include "exa/abi/event.h"
#include "exa/abi/http2.h"

/* Steps of a call, beyond which the walk loses its place: at least as many frames as 64 KiB hold.
 */
enum { EXA_FRAME_STEPS = 1 << 14 };

struct exa_segment { /* struct iovec */
  __u64 address;
  __u64 size_bytes;
};

struct exa_frame_walk {
  struct exa_http2_flow before; /* at the first byte of the record that is being made */
  struct exa_http2_flow flow;   /* here */
  __u64 address;                /* of the next byte */
  __u64 vector;                 /* of the next segment's struct iovec */
  __u32 segment_left;           /* bytes */
  __u32 segments_left;
  __u32 call_left;    /* bytes */
  __u32 record_bytes; /* of the call, in the record */
  __u32 kept;         /* of them in its payload */
  __u32 worth;        /* a message begins, goes on or ends in it */
  __u32 fault;        /* a byte could not be read */
  __u32 reserved;
};

/* Where the walk is done in a BPF program these read from the process, and write into the ring. */
#ifndef EXA_FRAME_READ
#error "EXA_FRAME_READ(to, bytes, address): 0 if they were read"
#endif
#ifndef EXA_FRAME_HIDE
#define EXA_FRAME_HIDE(value) /* keeps a bound from the compiler, so that the verifier sees it */
#endif

/* The place of a record's kept bytes has room for one piece beyond what it holds at the most. */
enum { EXA_FRAME_KEPT_BYTES = EXA_MAX_CAPTURE_BYTES };

static __always_inline void exa_frame_advance(struct exa_frame_walk* walk, __u32 bytes) {
  walk->address += bytes;
  walk->segment_left -= bytes;
  walk->call_left -= bytes;
  walk->record_bytes += bytes;
}

static __always_inline void exa_frame_begin_record(struct exa_frame_walk* walk) {
  walk->before = walk->flow;
  walk->flow.flags &= ~EXA_HTTP2_MISSED;
  walk->record_bytes = 0;
  walk->kept = 0;
  walk->worth = 0;
}

enum exa_frame_progress {
  EXA_FRAME_ON,
  EXA_FRAME_FULL, /* the record has no room: it is to be written, and another one begun */
  EXA_FRAME_DONE, /* at the call's end, or lost */
};

/* What follows is out of reach. */
static __always_inline enum exa_frame_progress exa_frame_out_of_reach(struct exa_frame_walk* walk) {
  walk->fault = 1;
  exa_http2_lose(&walk->flow);
  return EXA_FRAME_DONE;
}

static __always_inline enum exa_frame_progress exa_frame_next_segment(struct exa_frame_walk* walk) {
  struct exa_segment segment;
  if (walk->segments_left == 0 || EXA_FRAME_READ(&segment, sizeof(segment), walk->vector))
    return exa_frame_out_of_reach(walk);
  walk->vector += sizeof(segment);
  walk->segments_left -= 1;
  walk->address = segment.address;
  walk->segment_left = segment.size_bytes < walk->call_left ? segment.size_bytes : walk->call_left;
  return EXA_FRAME_ON;
}

/* A frame that lies in the segment as a whole, most are short, takes one read and one step. 0: its
 * parts are taken one by one. */
enum { EXA_FRAME_SHORT_BYTES = 64 };
static __always_inline int exa_frame_whole(struct exa_frame_walk* walk, __u8* kept) {
  struct exa_http2_flow* flow = &walk->flow;
  __u32 bytes = walk->segment_left, at = walk->kept, of_payload;

  if (flow->preface_left || flow->have || bytes <= EXA_HTTP2_HEADER_BYTES) return 0;
  if (bytes > EXA_FRAME_SHORT_BYTES) bytes = EXA_FRAME_SHORT_BYTES;
  EXA_FRAME_HIDE(bytes);
  EXA_FRAME_HIDE(at);
  if (bytes > EXA_FRAME_SHORT_BYTES || at > EXA_FRAME_KEPT_BYTES - EXA_FRAME_SHORT_BYTES) return 0;
  const __u8* header = kept + at;
  if (EXA_FRAME_READ(kept + at, bytes, walk->address)) return 0;
  const __u32 length = exa_http2_length(header);
  const int keeps = exa_http2_keeps(header[3]);
  of_payload = (keeps ? bytes : walk->segment_left) - EXA_HTTP2_HEADER_BYTES;
  if (length > of_payload || !exa_http2_possible(header)) return 0;
  __builtin_memcpy(flow->header, header, EXA_HTTP2_HEADER_BYTES);
  walk->kept = at + EXA_HTTP2_HEADER_BYTES + (keeps ? length : 0);
  if (keeps || exa_http2_ends(header)) walk->worth = 1;
  exa_frame_advance(walk, EXA_HTTP2_HEADER_BYTES + length);
  return 1;
}

/* kept: the record's payload, of twice EXA_FRAME_KEPT_BYTES. */
static __always_inline enum exa_frame_progress exa_frame_step(struct exa_frame_walk* walk,
                                                              __u8* kept) {
  struct exa_http2_flow* flow = &walk->flow;
  enum exa_http2_step step;
  __u32 bytes, at;

  if (walk->call_left == 0) return EXA_FRAME_DONE;
  if (walk->segment_left == 0) return exa_frame_next_segment(walk);
  if (exa_frame_whole(walk, kept)) return EXA_FRAME_ON;
  bytes = exa_http2_wanted(flow);
  if (bytes > walk->segment_left) bytes = walk->segment_left;
  at = walk->kept;
  switch (exa_http2_part_of(flow)) {
    case EXA_HTTP2_PREFACE:
      break;
    case EXA_HTTP2_HEADER: {
      __u32 have = flow->have;
      if (at > EXA_FRAME_KEPT_BYTES - 16) return EXA_FRAME_FULL;
      EXA_FRAME_HIDE(have);
      EXA_FRAME_HIDE(bytes);
      if (have >= EXA_HTTP2_HEADER_BYTES || bytes > EXA_HTTP2_HEADER_BYTES) return EXA_FRAME_DONE;
      /* Assembled where it is kept; there is room for bytes that the verifier imagines. */
      __builtin_memcpy(kept + at, flow->header, EXA_HTTP2_HEADER_BYTES);
      if (EXA_FRAME_READ(kept + at + have, bytes, walk->address))
        return exa_frame_out_of_reach(walk);
      __builtin_memcpy(flow->header, kept + at, EXA_HTTP2_HEADER_BYTES);
      break;
    }
    case EXA_HTTP2_PAYLOAD:
      if (!exa_http2_keeps(flow->header[3])) break;
      if (at >= EXA_FRAME_KEPT_BYTES) return EXA_FRAME_FULL;
      if (bytes > EXA_FRAME_KEPT_BYTES - at) bytes = EXA_FRAME_KEPT_BYTES - at;
      EXA_FRAME_HIDE(bytes);
      EXA_FRAME_HIDE(at);
      if (bytes > EXA_FRAME_KEPT_BYTES || at >= EXA_FRAME_KEPT_BYTES) return EXA_FRAME_DONE;
      if (EXA_FRAME_READ(kept + at, bytes, walk->address)) return exa_frame_out_of_reach(walk);
      walk->kept = at + bytes;
      walk->worth = 1;
      break;
  }
  const int of_header = exa_http2_part_of(flow) == EXA_HTTP2_HEADER;
  step = exa_http2_take(flow, bytes);
  if (step == EXA_HTTP2_OUT_OF_STEP) return EXA_FRAME_DONE;
  exa_frame_advance(walk, bytes);
  if (of_header && step != EXA_HTTP2_GOES_ON) {
    walk->kept = at + EXA_HTTP2_HEADER_BYTES;
    if (exa_http2_keeps(flow->header[3]) || exa_http2_ends(flow->header)) walk->worth = 1;
  }
  /* A message's last byte may come long after its frame's header. */
  if (step == EXA_HTTP2_FRAME_ENDED && exa_http2_ends(flow->header)) walk->worth = 1;
  return EXA_FRAME_ON;
}

#endif
