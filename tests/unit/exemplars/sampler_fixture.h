// Feeds requests the way the pipeline does.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <memory>
#include <vector>

#include "agent/exemplars/exemplar_sampler.h"
#include "agent/semantics/semantics.h"

namespace exa {

class SamplerFixture : public ::testing::Test {
 protected:
  struct Request {
    Duration duration = std::chrono::milliseconds(1);
    std::uint16_t status = 200;
    std::uint64_t randomness = 1;
    TargetId target = 1;
    Role role = Role::kServer;
    std::uint8_t trace = 0;  // 0: one of its own
  };

  void configure(const SamplerOptions& options, std::size_t recorder_records = 1024) {
    sampler = std::make_unique<ExemplarSampler>(options, counters);
    recorder = std::make_unique<FlightRecorder>(recorder_records);
  }
  void SetUp() override { configure({.floor_probability = 0}); }

  Exchange send(const Request& request) {
    Exchange exchange;
    exchange.target = request.target;
    exchange.role = request.role;
    exchange.operation.method = Method::kGet;
    exchange.protocol_version = ProtocolVersion::k11;
    exchange.outcome = Outcome::kComplete;
    exchange.operation.status = request.status;
    exchange.read = {1'000'000'000};
    exchange.last_response = exchange.read + request.duration;
    exchange.randomness = request.randomness;
    exchange.span_id.bytes = std::bit_cast<std::array<std::uint8_t, 8>>(++next_id);
    if (request.trace != 0)
      exchange.trace_id.bytes[15] = request.trace;
    else
      std::copy_n(exchange.span_id.bytes.begin(), 8, exchange.trace_id.bytes.begin());
    const auto ticket = recorder->push(exchange);
    sampler->on_request(exchange, ticket);
    const auto value = static_cast<std::uint64_t>(exchange.duration().count());
    const auto [series, bucket] = registry.record(registry.keys().duration(exchange), 1, value);
    sampler->on_value({.series = series,
                       .bucket = bucket,
                       .is_error = is_error(exchange),
                       .value = value,
                       .exchange = exchange},
                      ticket);
    return exchange;
  }

  Selection close() {
    auto selection = sampler->close_window(registry, *recorder);
    registry.close_window();
    return selection;
  }

  static std::vector<std::uint64_t> randomness_of_winners(const Selection& selection,
                                                          ExemplarReason reason) {
    std::vector<std::uint64_t> all;
    for (const auto& winner : selection.winners)
      if (winner.reason == reason)
        all.push_back(selection.exchanges[winner.exchange].exchange.randomness);
    return all;
  }

  Counters counters;
  SeriesRegistry registry{{}, counters};
  std::unique_ptr<ExemplarSampler> sampler;
  std::unique_ptr<FlightRecorder> recorder;
  std::uint64_t next_id = 0;
};

}  // namespace exa
