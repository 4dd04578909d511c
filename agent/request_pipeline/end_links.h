// Makes spans children of the spans that they are certainly part of: a server's end of a request of
// its client's end, and a request of a proxy that passes on the trace context it was given of the
// request that brought it. Only where that span was exported: in the same window, or in the one
// before, as the two ends of a request that ends with a window fall on both sides of it. A span
// that is only expected is never named.
// Capture thread, at window close; owned by RequestPipeline. Holds the spans of one window.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "agent/request_pipeline/closed_window.h"

namespace exa {

class EndLinks {
 public:
  // The spans of the next window; those that are not skipped will be exported.
  void link(std::vector<WindowSpan>& spans);

 private:
  struct Spans {
    std::unordered_multimap<std::uint32_t, Exchange> clients;  // by request_sequence
    std::unordered_map<std::uint64_t, Exchange> servers;       // by number
  };
  static SpanId client_end_of(const Exchange& server, const Spans& among);
  static SpanId around(const Exchange& client, const Spans& among);

  Spans before_;
};

}  // namespace exa
