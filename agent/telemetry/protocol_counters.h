// What became of the messages of one protocol, where that was not an exchange: rows as those of
// counters.h, of which each protocol has its own. The metrics tell them apart by the attribute
// protocol, the name in the registry; their sums over it are those of all messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "agent/telemetry/counter_values.h"

// X(enumerator, kind, metric, reason, sentence), see counters.h.
// clang-format off
#define EXA_PROTOCOL_COUNTERS(X)                                                                   \
  X(kParseErrorRequest, kDegraded, parse_errors, request_head, "invalid request heads")            \
  X(kParseErrorResponse, kDegraded, parse_errors, response_head, "invalid response heads")         \
  X(kParseErrorFraming, kDegraded, parse_errors, framing, "bodies with contradictory framing")     \
  X(kOrphanResponse, kLoss, orphans, response, "responses whose request was not seen")             \
  X(kOrphanRequest, kLoss, orphans, request, "requests whose response was not seen")               \
  X(kOrphanGap, kLoss, orphans, gap, "messages lost in bytes that were not captured")              \
  X(kRequestsUnansweredOverflow, kLoss, orphans, pipeline_overflow, "pipelined requests over the limit") \
  X(kRequestsOverShare, kLoss, orphans, request_share, "requests left out: process over its share")
// clang-format on

namespace exa {

enum class ProtocolCounter : std::size_t {
#define EXA_X(name, kind, metric, reason, sentence) name,
  EXA_PROTOCOL_COUNTERS(EXA_X)
#undef EXA_X
      kCount
};

class ProtocolCounters : public CounterValues<ProtocolCounter> {
 public:
  explicit ProtocolCounters(std::string_view protocol) : protocol_(protocol) {}
  [[nodiscard]] const std::string& protocol() const { return protocol_; }

 private:
  std::string protocol_;
};

}  // namespace exa
