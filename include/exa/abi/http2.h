/* One direction of HTTP/2 (RFC 9113), frame by frame: the kernel walks along it and tells which
 * frames went by, the agent walks over the record in the same steps. Pure: C11 and C++, compiled
 * into the BPF programs, the agent and the tests.
 *
 * A record of EXA_EVENT_FRAMES is an exa_chunk_event, the exa_http2_flow before the record's first
 * byte, and of its bytes those that the walk keeps: each frame's header, and the payload of those
 * types that say what a message is. What is left out is a payload, whose length its header tells;
 * so the walk over the record comes out at the record's end, or the record is wrong.
 */
#ifndef EXA_ABI_HTTP2_H
#define EXA_ABI_HTTP2_H

#include "exa/abi/types.h"

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

enum exa_http2_type { /* section 6 */
                      EXA_HTTP2_DATA = 0,
                      EXA_HTTP2_HEADERS = 1,
                      EXA_HTTP2_PRIORITY = 2,
                      EXA_HTTP2_RST_STREAM = 3,
                      EXA_HTTP2_SETTINGS = 4,
                      EXA_HTTP2_PUSH_PROMISE = 5,
                      EXA_HTTP2_PING = 6,
                      EXA_HTTP2_GOAWAY = 7,
                      EXA_HTTP2_WINDOW_UPDATE = 8,
                      EXA_HTTP2_CONTINUATION = 9,
                      /* Not of RFC 9113: in the place of a frame's payload, what came before the
                         first frame. */
                      EXA_HTTP2_NO_FRAME = 255,
};

enum exa_http2_frame_flags {
  EXA_HTTP2_END_STREAM = 1, /* DATA, HEADERS */
  EXA_HTTP2_ACK = 1,        /* SETTINGS, PING */
  EXA_HTTP2_END_HEADERS = 4,
  EXA_HTTP2_PADDED = 8,
  EXA_HTTP2_PRIORITISED = 32, /* HEADERS */
};

enum {
  EXA_HTTP2_HEADER_BYTES = 9,
  EXA_HTTP2_PREFACE_BYTES = 24,
  /* More than any peer has reason to send in one frame of these. */
  EXA_HTTP2_MOST_PLAUSIBLE_DATA = 1 << 20,
  EXA_HTTP2_MOST_PLAUSIBLE_HEAD = 1 << 16,
  EXA_HTTP2_MOST_SETTINGS_BYTES = 64 * 6,
};

enum exa_http2_flow_flags {
  EXA_HTTP2_IN_STEP = 1, /* where the next frame begins is known */
  EXA_HTTP2_MISSED = 2,  /* frames went by unseen since the last record, or before the first one */
};

/* Where a direction stands. All zeroes: nothing is known. */
struct exa_http2_flow {
  __u32 left;     /* payload bytes of the frame under way that are still to come */
  __u8 header[9]; /* of the frame under way */
  __u8 have;      /* bytes of it that came; 9: within the payload */
  __u8 preface_left;
  __u8 flags; /* exa_http2_flow_flags */
};
EXA_ASSERT_SIZE(struct exa_http2_flow, 16);

/* A direction at its first byte: the client's owes the preface. */
static __always_inline struct exa_http2_flow exa_http2_start(int client) {
  struct exa_http2_flow flow = {};
  flow.preface_left = client ? EXA_HTTP2_PREFACE_BYTES : 0;
  flow.flags = EXA_HTTP2_IN_STEP;
  return flow;
}

/* So many bytes before the first frame are the end of another protocol. */
static __always_inline struct exa_http2_flow exa_http2_start_behind(__u32 bytes) {
  struct exa_http2_flow flow = {};
  flow.left = bytes;
  flow.header[0] = (__u8)(bytes >> 16);
  flow.header[1] = (__u8)(bytes >> 8);
  flow.header[2] = (__u8)bytes;
  flow.header[3] = EXA_HTTP2_NO_FRAME;
  flow.have = EXA_HTTP2_HEADER_BYTES;
  flow.flags = EXA_HTTP2_IN_STEP;
  return flow;
}

static __always_inline __u32 exa_http2_length(const __u8* header) {
  return (__u32)header[0] << 16 | (__u32)header[1] << 8 | header[2];
}

static __always_inline __u32 exa_http2_stream(const __u8* header) {
  return (__u32)(header[5] & 0x7f) << 24 | (__u32)header[6] << 16 | (__u32)header[7] << 8 |
         header[8];
}

/* The payload of this type is in the record. */
static __always_inline int exa_http2_keeps(__u8 type) {
  const __u32 kept = 1u << EXA_HTTP2_HEADERS | 1u << EXA_HTTP2_RST_STREAM |
                     1u << EXA_HTTP2_SETTINGS | 1u << EXA_HTTP2_PUSH_PROMISE |
                     1u << EXA_HTTP2_GOAWAY | 1u << EXA_HTTP2_CONTINUATION;
  return type < 16 && (kept >> type & 1);
}

/* The frame's last byte ends its stream's message. */
static __always_inline int exa_http2_ends(const __u8* header) {
  return header[3] <= EXA_HTTP2_HEADERS && (header[4] & EXA_HTTP2_END_STREAM);
}

/* Can this header follow where the walk is in step? Types and flags that are not known are legal
 * (4.1, 5.5). What no peer may send shows that the walk is out of step, or the peer broken. */
static __always_inline int exa_http2_possible(const __u8* header) {
  const __u32 length = exa_http2_length(header);
  const __u32 stream = exa_http2_stream(header);
  switch (header[3]) {
    case EXA_HTTP2_DATA:
    case EXA_HTTP2_HEADERS:
    case EXA_HTTP2_CONTINUATION:
      return stream != 0;
    case EXA_HTTP2_PUSH_PROMISE:
      return stream != 0 && length >= 4;
    case EXA_HTTP2_PRIORITY:
      return stream != 0 && length == 5;
    case EXA_HTTP2_RST_STREAM:
      return stream != 0 && length == 4;
    case EXA_HTTP2_SETTINGS:
      return stream == 0 && length % 6 == 0;
    case EXA_HTTP2_PING:
      return stream == 0 && length == 8;
    case EXA_HTTP2_GOAWAY:
      return stream == 0 && length >= 8;
    case EXA_HTTP2_WINDOW_UPDATE:
      return length == 4;
    default:
      return 1;
  }
}

/* Is this a frame header, in the middle of bytes of which nothing is known? Stricter: what peers do
 * send. Of random bytes one in 380,000 is taken for one, so two in a row are asked for. */
static __always_inline int exa_http2_plausible(const __u8* header) {
  const __u32 length = exa_http2_length(header);
  const __u32 stream = exa_http2_stream(header);
  const __u8 flags = header[4];
  if (header[5] & 0x80) return 0;
  switch (header[3]) {
    case EXA_HTTP2_DATA:
      return stream != 0 && !(flags & ~(EXA_HTTP2_END_STREAM | EXA_HTTP2_PADDED)) &&
             length <= EXA_HTTP2_MOST_PLAUSIBLE_DATA;
    case EXA_HTTP2_HEADERS:
      return stream != 0 &&
             !(flags & ~(EXA_HTTP2_END_STREAM | EXA_HTTP2_END_HEADERS | EXA_HTTP2_PADDED |
                         EXA_HTTP2_PRIORITISED)) &&
             length != 0 && length <= EXA_HTTP2_MOST_PLAUSIBLE_HEAD;
    case EXA_HTTP2_PRIORITY:
      return stream != 0 && flags == 0 && length == 5;
    case EXA_HTTP2_RST_STREAM:
      return stream != 0 && flags == 0 && length == 4;
    case EXA_HTTP2_SETTINGS:
      if (stream != 0) return 0;
      return flags ? flags == EXA_HTTP2_ACK && length == 0
                   : length % 6 == 0 && length <= EXA_HTTP2_MOST_SETTINGS_BYTES;
    case EXA_HTTP2_PUSH_PROMISE:
      return stream != 0 && !(flags & ~(EXA_HTTP2_END_HEADERS | EXA_HTTP2_PADDED)) && length >= 4 &&
             length <= EXA_HTTP2_MOST_PLAUSIBLE_HEAD;
    case EXA_HTTP2_PING:
      return stream == 0 && !(flags & ~EXA_HTTP2_ACK) && length == 8;
    case EXA_HTTP2_GOAWAY:
      return stream == 0 && flags == 0 && length >= 8 && length <= EXA_HTTP2_MOST_PLAUSIBLE_HEAD;
    case EXA_HTTP2_WINDOW_UPDATE:
      return flags == 0 && length == 4;
    case EXA_HTTP2_CONTINUATION:
      return stream != 0 && !(flags & ~EXA_HTTP2_END_HEADERS) &&
             length <= EXA_HTTP2_MOST_PLAUSIBLE_HEAD;
    default:
      return 0;
  }
}

/* The next part of a direction that is in step. */
enum exa_http2_part {
  EXA_HTTP2_PREFACE,
  EXA_HTTP2_HEADER,
  EXA_HTTP2_PAYLOAD,
};

static __always_inline enum exa_http2_part exa_http2_part_of(const struct exa_http2_flow* flow) {
  if (flow->preface_left) return EXA_HTTP2_PREFACE;
  return flow->have < EXA_HTTP2_HEADER_BYTES ? EXA_HTTP2_HEADER : EXA_HTTP2_PAYLOAD;
}

/* The next part's bytes that are still to come. */
static __always_inline __u32 exa_http2_wanted(const struct exa_http2_flow* flow) {
  switch (exa_http2_part_of(flow)) {
    case EXA_HTTP2_PREFACE:
      return flow->preface_left;
    case EXA_HTTP2_HEADER:
      return EXA_HTTP2_HEADER_BYTES - flow->have;
    case EXA_HTTP2_PAYLOAD:
      break;
  }
  return flow->left;
}

/* What taking bytes brought. */
enum exa_http2_step {
  EXA_HTTP2_GOES_ON,
  EXA_HTTP2_FRAME_BEGUN, /* its header is whole, and a payload follows */
  EXA_HTTP2_FRAME_ENDED, /* header is still that frame's; it may be whole only now, without payload
                          */
  EXA_HTTP2_OUT_OF_STEP, /* a header that cannot be one: the walk does not know its place */
};

/* The place is lost: the next frame is looked for. */
static __always_inline void exa_http2_lose(struct exa_http2_flow* flow) {
  flow->left = 0;
  flow->have = 0;
  flow->preface_left = 0;
  flow->flags = EXA_HTTP2_MISSED;
}

/* Of the next part bytes came, at most exa_http2_wanted(); those of a header are in its place
 * already. */
static __always_inline enum exa_http2_step exa_http2_take(struct exa_http2_flow* flow,
                                                          __u32 bytes) {
  if (flow->preface_left) {
    flow->preface_left -= bytes;
    return EXA_HTTP2_GOES_ON;
  }
  if (flow->have < EXA_HTTP2_HEADER_BYTES) {
    flow->have += bytes;
    if (flow->have < EXA_HTTP2_HEADER_BYTES) return EXA_HTTP2_GOES_ON;
    if (!exa_http2_possible(flow->header)) {
      exa_http2_lose(flow);
      return EXA_HTTP2_OUT_OF_STEP;
    }
    flow->left = exa_http2_length(flow->header);
    if (flow->left) return EXA_HTTP2_FRAME_BEGUN;
  } else {
    flow->left -= bytes;
    if (flow->left) return EXA_HTTP2_GOES_ON;
  }
  flow->have = 0;
  return EXA_HTTP2_FRAME_ENDED;
}

/* Bytes that nobody saw. They are passed where they lie within a payload that is left out anyway;
 * else the place is lost. True if they end a message. */
static __always_inline int exa_http2_pass(struct exa_http2_flow* flow, __u64 bytes) {
  if (!(flow->flags & EXA_HTTP2_IN_STEP)) return 0;
  if (flow->preface_left || flow->have < EXA_HTTP2_HEADER_BYTES || bytes > flow->left ||
      exa_http2_keeps(flow->header[3])) {
    exa_http2_lose(flow);
    return 0;
  }
  return exa_http2_take(flow, (__u32)bytes) == EXA_HTTP2_FRAME_ENDED &&
         exa_http2_ends(flow->header);
}

#endif
