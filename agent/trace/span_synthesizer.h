// Makes the span of an exchange that nobody instrumented by the row of its convention.
// Window thread; pure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "exa/base/time.h"
#include "exa/model/exchange.h"
#include "exa/model/metric.h"
#include "exa/model/span.h"

namespace exa {

// By what a span's parent is known: it is the other end of the connection, or of the same process
// the exchange that has the same trace context, or the one that its thread was serving.
enum class SpanLink : std::uint8_t { kNone, kConnection, kContext, kThread, kCount };

// What became of an answer after its last byte was written, as far as is known.
struct Delivery {
  std::uint32_t sent_again = 0;  // how often a part of it was
  Duration sent_again_after{};   // the last time
  Duration
      acknowledged_after{};  // to its last byte, by the peer's TCP; zero: not late, or not known
};

// Why this span is exported, and where it belongs.
struct SpanPurpose {
  std::optional<ExemplarReason> reason = {};  // none: a relative of an exemplar in the same trace
  // Sampling threshold of 56 bits to publish as tracestate ot=th; 0: none.
  std::uint64_t threshold = 0;
  // Another span that is exported and that this one is certainly a child of; kNone: what the
  // request carried is its parent.
  SpanLink link = SpanLink::kNone;
  SpanId parent = {};
  Delivery delivery = {};
  bool beside_sdk = false;  // its process sends spans of its own
  // Of the slowest request of its series: what it and those like it spent more time on than others.
  std::string growth = {};
};

Span synthesize_span(const Exchange& exchange, const SpanPurpose& purpose,
                     std::shared_ptr<const Resource> resource, WallClockOffset offset);

}  // namespace exa
