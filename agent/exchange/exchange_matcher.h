// Pairs each response with the request it answers: a FIFO of unanswered requests a connection.
// Capture thread. Owned by ConnectionTracker. At most MatcherLimits of requests; one costs 352
// bytes while it is unanswered, a connection without one costs a RequestQueue.
#pragma once

#include <cstddef>
#include <cstdint>

#include "agent/exchange/exchange_sink.h"
#include "agent/exchange/slot_pool.h"
#include "agent/exchange/tenants.h"
#include "agent/protocol/http1/head.h"
#include "agent/telemetry/counters.h"
#include "exa/base/time.h"
#include "exa/model/exchange.h"

namespace exa {

struct MatcherLimits {
  std::size_t unanswered_per_connection = 64;
  std::size_t unanswered = 131'072;  // one process alone gets half
};

// The unanswered requests of one connection, oldest first.
struct RequestQueue {
  std::uint32_t front = kNoSlot;
  std::uint32_t back = kNoSlot;
  std::uint32_t size = 0;
  // Requests after those that found no room. Their answers must be passed over, in order.
  std::uint32_t passed_over = 0;
  bool passed_over_bodiless = false;  // among them one whose answer has no body (HEAD, CONNECT)
  Tenant* process = nullptr;          // on whose account; null: on nobody's

  [[nodiscard]] bool empty() const { return size == 0 && passed_over == 0; }
};

// What a request's exchange takes from its connection and its first byte.
struct RequestOrigin {
  SocketId socket = 0;
  IpEndpoint local;
  IpEndpoint remote;
  Role role = Role::kUnknown;
  bool tls = false;
  std::uint32_t tgid = 0;
  std::uint32_t tcp_sequence = 0;
  MonotonicTime arrival;
  MonotonicTime first_byte;
};

class ExchangeMatcher {
 public:
  ExchangeMatcher(ExchangeSink& sink, Counters& counters, MatcherLimits limits);

  void on_request(RequestQueue& queue, const RequestOrigin& origin, const http1::RequestHead& head,
                  std::uint64_t head_bytes);
  // The endpoints of a TLS stream became known after its requests. first_sequence is that of the
  // oldest one if that had none; 0 says nothing.
  void learn_endpoints(RequestQueue& queue, const IpEndpoint& local, const IpEndpoint& remote,
                       std::uint32_t first_sequence);
  // Body bytes of the newest request; ignored if it is answered already.
  void add_request_bytes(RequestQueue& queue, std::uint64_t bytes);

  // The method that the next response answers. Queue not empty.
  [[nodiscard]] Method awaited_method(const RequestQueue& queue) const;

  // The following concern the oldest request. Queue not empty.
  void on_response_head(RequestQueue& queue, const http1::ResponseHead& head,
                        MonotonicTime first_byte, MonotonicTime last_byte,
                        std::uint64_t head_bytes);
  void add_response_bytes(RequestQueue& queue, std::uint64_t bytes, MonotonicTime last_byte);
  void finish(RequestQueue& queue, Outcome outcome, MonotonicTime last_byte);

  // The connection ended before the answers were whole. An exchange without a response byte ends
  // at the end of the connection.
  void abort_all(RequestQueue& queue, Outcome outcome, MonotonicTime end,
                 std::uint16_t socket_error);

  // Nobody will know how these ended; each is counted as reason.
  void forget_all(RequestQueue& queue, Counter reason);

  [[nodiscard]] std::size_t unanswered() const { return pool_.in_use(); }

 private:
  struct Unanswered {
    Exchange exchange;
    std::uint32_t next = kNoSlot;
  };

  [[nodiscard]] std::uint32_t take_place(RequestQueue& queue);
  void pop(RequestQueue& queue);

  ExchangeSink& sink_;
  Counters& counters_;
  MatcherLimits limits_;
  SlotPool<Unanswered> pool_;
};

}  // namespace exa
