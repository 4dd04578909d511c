// Bounds of the queues and of their requests.
#pragma once

#include <chrono>
#include <cstddef>

namespace exa {

struct QueueSettings {
  std::size_t queue_bytes = 8u << 20;
  std::size_t request_spans = 2048;          // spans of one request at most
  std::size_t request_bytes = 3'500u << 10;  // encoded, before compression
  std::chrono::milliseconds shortest_backoff{1'000};
  std::chrono::milliseconds longest_backoff{30'000};
  std::chrono::seconds longest_age{300};  // a span still undelivered then is dropped as expired
};

}  // namespace exa
