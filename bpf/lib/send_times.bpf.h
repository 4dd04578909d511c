/* When the bytes of a send left; the call itself is seen at its return. */
#ifndef EXA_BPF_LIB_SEND_TIMES_H
#define EXA_BPF_LIB_SEND_TIMES_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/lib/capture_config.bpf.h"
#include "bpf/lib/kernel_types.bpf.h"
#include "bpf/lib/socket_state.h"

/* When the last byte of a send left: TCP read the clock when it transmitted, and reading it again
 * would cost 60 ns. 0 if bytes still wait in the send queue. */
static __always_inline __u64 exa_time_sent(const struct tcp_sock* tcp) {
  if (tcp->write_seq != tcp->snd_nxt || !bpf_core_field_exists(tcp->tcp_clock_cache)) return 0;
  return tcp->tcp_clock_cache;
}

/* The first byte of a long blocking send. TCP counts the ticks in which a connection had something
 * to send, and a busy time that began with an empty queue and goes on until now began with that
 * byte. As exact as a tick of the kernel is long. */
enum { EXA_LONG_SEND_TICKS = 3 }; /* shorter ones are told at their return */

/* Ticks so far in which something was to be sent or to be acknowledged. */
static __always_inline __u32 exa_busy_ticks(const struct tcp_sock* tcp) {
  __u32 ticks = tcp->chrono_stat[0] + tcp->chrono_stat[1] + tcp->chrono_stat[2];
  if (tcp->snd_una != tcp->write_seq) ticks += (__u32)bpf_jiffies64() - tcp->chrono_start;
  return ticks;
}

/* The other end speaks: if it has acknowledged all, what is sent next begins another busy time. */
static __noinline int exa_note_idle(struct exa_socket_state* state, const struct tcp_sock* tcp) {
  if (!state || !tcp) return 0;
  state->busy_ticks = tcp->snd_una == tcp->write_seq ? exa_busy_ticks(tcp) : EXA_BUSY_UNKNOWN;
  return 0;
}

/* The first call on the socket that is seen: a new connection was never busy before. A SYN may
 * count among the acknowledged bytes. */
static __always_inline void exa_note_first_send(struct exa_socket_state* state,
                                                const struct tcp_sock* tcp, __u32 length) {
  const __u64 sent = tcp->bytes_acked + (tcp->write_seq - tcp->snd_una);
  state->busy_ticks = sent <= (__u64)length + 1 ? 0 : EXA_BUSY_UNKNOWN;
}

/* 0: at the return of the call, or not known. */
static __noinline __u64 exa_first_byte_left(struct exa_socket_state* state,
                                            const struct tcp_sock* tcp) {
  __u64 now, busy_ns;
  __u32 ticks;

  if (!state || !tcp || state->busy_ticks == EXA_BUSY_UNKNOWN) return 0;
  ticks = exa_busy_ticks(tcp) - state->busy_ticks;
  if (ticks < EXA_LONG_SEND_TICKS) return 0;
  now = bpf_ktime_get_ns();
  busy_ns = (__u64)ticks * exa_config.tick_ns;
  const __u64 asked = state->flow[EXA_INGRESS].last_byte_ns;
  if (busy_ns >= now || now - busy_ns + 2ull * exa_config.tick_ns < asked) return 0;
  return now - busy_ns > asked ? now - busy_ns : asked;
}

#endif
