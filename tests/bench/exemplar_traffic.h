// Seeded traffic for the quality table, and the agent's own sampler driven by it.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "agent/exemplars/exemplar_sampler.h"
#include "agent/metrics/series_registry.h"
#include "agent/trace/ids/randomness.h"

namespace exa::bench {

struct Request {
  TargetId series = 1;  // status is left out of the key: errors must be found within a series
  std::uint64_t value_ns = 0;
  bool is_error = false;
  std::uint64_t randomness = 0;
  std::uint64_t span = 0;
  double position = 0;  // in the window
};

struct Shape {
  double median_s = 0.02;
  double spread = 0.6;
  double tail_share = 0.002;  // of requests that take 20 to 400 times as long
  double error_share = 0.003;
};

inline std::vector<Request> window_of(std::mt19937_64& random, std::size_t requests,
                                      std::uint32_t series, const Shape& shape = {}) {
  std::lognormal_distribution<double> body(std::log(shape.median_s), shape.spread);
  std::uniform_real_distribution<double> tail(20, 400);
  std::bernoulli_distribution in_tail(shape.tail_share);
  std::bernoulli_distribution fails(shape.error_share);
  std::vector<Request> window(requests);
  for (std::size_t i = 0; i < requests; ++i) {
    const double seconds = body(random) * (in_tail(random) ? tail(random) : 1);
    window[i] = {.series = static_cast<TargetId>(1 + random() % series),
                 .value_ns = static_cast<std::uint64_t>(std::min(seconds, 60.0) * 1e9) + 1,
                 .is_error = fails(random),
                 .randomness = random() & kRandomnessMask,
                 .span = random(),
                 .position = (static_cast<double>(i) + 0.5) / static_cast<double>(requests)};
  }
  return window;
}

inline SeriesKey key_of(const Request& request) {
  SeriesKey key;
  key.target = request.series;
  key.method = Method::kGet;
  return key;
}

inline Exchange exchange_of(const Request& request) {
  Exchange exchange;
  exchange.target = request.series;
  exchange.role = Role::kServer;
  exchange.outcome = Outcome::kComplete;
  exchange.operation.status = request.is_error ? 500 : 200;
  exchange.read = {1'000'000'000};
  exchange.last_response = {1'000'000'000 + request.value_ns};
  exchange.randomness = request.randomness;
  exchange.span_id.bytes = std::bit_cast<std::array<std::uint8_t, 8>>(request.span);
  return exchange;
}

inline std::uint64_t span_of(const Exchange& exchange) {
  return std::bit_cast<std::uint64_t>(exchange.span_id.bytes);
}

// One agent.
class Agent {
 public:
  explicit Agent(const SamplerOptions& options) : sampler_(options, counters_) {}

  void count(const Request& request) {
    const auto exchange = exchange_of(request);
    const auto ticket = recorder_.push(exchange);
    sampler_.on_request(exchange, ticket);
    const auto [series, bucket] = registry_.record(key_of(request), 1, request.value_ns);
    sampler_.on_value({.series = series,
                       .bucket = bucket,
                       .is_error = request.is_error,
                       .value = request.value_ns,
                       .exchange = exchange},
                      ticket);
  }
  Selection close() {
    auto selection = sampler_.close_window(registry_, recorder_);
    registry_.close_window();
    return selection;
  }
  Selection run(const std::vector<Request>& window) {
    for (const auto& request : window)
      count(request);
    return close();
  }

 private:
  Counters counters_;
  SeriesLimits limits_;
  SeriesRegistry registry_{limits_, counters_};
  FlightRecorder recorder_{65536};
  ExemplarSampler sampler_;
};

}  // namespace exa::bench
