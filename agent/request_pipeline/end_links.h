// Makes a server's span the child of the client's end of the same request, where that end was
// exported: in the same window, or in the one before, as the two ends of a request that ends with a
// window fall on both sides of it. An end that is only expected is never named.
// Capture thread, at window close; owned by RequestPipeline. Holds the client ends of one window.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "agent/request_pipeline/closed_window.h"

namespace exa {

class EndLinks {
 public:
  // The spans of the next window, all of which will be exported.
  void link(std::vector<WindowSpan>& spans);

 private:
  using Clients = std::unordered_multimap<std::uint32_t, Exchange>;  // by request_sequence
  Clients before_;
};

}  // namespace exa
