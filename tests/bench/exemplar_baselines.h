// How others choose exemplars: each takes the requests of one series in one window and returns the
// chosen ones.
#pragma once

#include <array>
#include <optional>
#include <random>
#include <vector>

#include "exemplar_traffic.h"

namespace exa::bench {

using Requests = std::vector<Request>;

inline std::uint8_t bucket_of(const Request& request) {
  return request_duration_bounds().bucket(request.value_ns);
}

// Algorithm R.
inline Requests fixed_reservoir(const Requests& series, std::mt19937_64& random) {
  constexpr std::size_t kSize = 20;
  Requests kept;
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (kept.size() < kSize) {
      kept.push_back(series[i]);
    } else if (const auto at = random() % (i + 1); at < kSize) {
      kept[at] = series[i];
    }
  }
  return kept;
}

namespace detail {
template <typename Replaces>
Requests one_per_bucket(const Requests& series, Replaces replaces) {
  std::array<std::optional<Request>, kMaxBuckets> kept;
  std::array<std::size_t, kMaxBuckets> seen{};
  for (const auto& request : series) {
    const auto bucket = bucket_of(request);
    if (replaces(request, ++seen[bucket])) kept[bucket] = request;
  }
  Requests all;
  for (const auto& request : kept)
    if (request) all.push_back(*request);
  return all;
}
}  // namespace detail

// The SDK for Java, OBI.
inline Requests last_seen_per_bucket(const Requests& series, std::mt19937_64&) {
  return detail::one_per_bucket(series, [](const Request&, std::size_t) { return true; });
}

inline Requests uniform_per_bucket(const Requests& series, std::mt19937_64& random) {
  return detail::one_per_bucket(
      series, [&](const Request&, std::size_t seen) { return random() % seen == 0; });
}

// The collector's spanmetrics connector.
inline Requests first_five(const Requests& series, std::mt19937_64&) {
  return {series.begin(),
          series.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(5, series.size()))};
}

// A tenth of the traces is sampled at the head, and only those may become exemplars: what an SDK
// does by default.
inline Requests head_sampled(const Requests& series, std::mt19937_64& random) {
  Requests sampled;
  for (const auto& request : series)
    if (random() % 10 == 0) sampled.push_back(request);
  return last_seen_per_bucket(sampled, random);
}

}  // namespace exa::bench
