// The exemplars that wait for a scraper: how many, for how long, and what they say of themselves.
#pragma once

#include <cstddef>
#include <cstdint>

#include "exa/base/time.h"

namespace exa {

// Which exemplar goes where there is no room for one more.
enum class Eviction : std::uint8_t { kOldest, kSmallestValue };

struct ExemplarStoreLimits {
  std::size_t per_series = 20;  // a series shows one a bucket, and has no more than 16
  std::size_t total = 10'000;
  Duration keep = std::chrono::minutes(5);  // after the request has ended
  Eviction eviction = Eviction::kOldest;
  bool operator==(const ExemplarStoreLimits&) const = default;
};

struct ExemplarStoreState {
  std::size_t stored = 0;
  std::size_t capacity = 0;
  double oldest_s = 0;  // the age of the oldest one when the last window closed
};

}  // namespace exa
