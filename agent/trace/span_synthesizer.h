// Makes the span of an exchange that nobody instrumented by the row of its convention.
// Window thread; pure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "exa/model/exchange.h"
#include "exa/model/metric.h"
#include "exa/model/span.h"

namespace exa {

// Why this span is exported.
struct SpanPurpose {
  std::optional<ExemplarReason> reason = {};  // none: a relative of an exemplar in the same trace
  // Sampling threshold of 56 bits to publish as tracestate ot=th; 0: none.
  std::uint64_t threshold = 0;
};

Span synthesize_span(const Exchange& exchange, const SpanPurpose& purpose,
                     std::shared_ptr<const Resource> resource, WallClockOffset offset);

}  // namespace exa
