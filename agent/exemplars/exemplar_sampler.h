// Decides which requests explain the histograms: sees every request once, every value once for each
// series it counts in, and is asked at window close. A policy says what may compete, the store
// holds the candidates, the selector chooses; the floor is beside them.
//
// Capture thread only, owned by RequestPipeline; its parts say what they hold at most, the floor
// `floor_capacity` requests. on_request and on_value neither allocate in steady state nor block nor
// draw random numbers.
#pragma once

#include <cstdint>

#include "agent/exemplars/floor_queue.h"
#include "agent/exemplars/policies/policy.h"
#include "agent/exemplars/policy_rules.h"
#include "agent/exemplars/reactive_budget.h"
#include "agent/exemplars/selection.h"
#include "agent/exemplars/store.h"
#include "agent/model/policy_spec.h"
#include "agent/telemetry/counters.h"

namespace exa {

struct SamplerOptions {
  PolicySettings policies = {};
  std::uint32_t spans_per_window = 100;
  std::uint32_t burst_spans = 200;
  std::uint32_t least_spans = 10;      // a window, under pressure
  std::uint32_t most_spans = 0;        // a window, while errors burn; 0: spans_per_window
  double allowed_error_ratio = 0.001;  // of a service's requests: 1 - its objective
  double floor_probability = 0.005;
  std::uint32_t floor_capacity = 1024;  // requests a window
  std::uint32_t kept_records = 16384;
};

class ExemplarSampler {
 public:
  ExemplarSampler(const SamplerOptions& options, Counters& counters);

  void on_request(const Exchange& exchange, RecordTicket ticket) {
    if (floor_.admits(exchange)) [[unlikely]]
      push_floor(exchange, ticket);
  }

  // ticket: of the request, as on_request had it.
  void on_value(const Offer& offer, RecordTicket ticket) {
    auto& strata = store_.count(offer);
    if (policies_.admits(offer)) store_.compete(strata, offer, ticket);
  }

  // Chooses among what came since the last call and forgets it. Called before the registry's own
  // close_window, so the deltas are those the candidates were counted in.
  Selection close_window(const SeriesRegistry& registry, const FlightRecorder& recorder);
  // The series is gone; its index may come to name another one.
  void forget(SeriesIndex series);

  // Of the window that closes next.
  void on_pressure(BudgetPressure pressure) { selector_.on_pressure(pressure); }
  // How many spans the window that closed last might cost.
  [[nodiscard]] std::uint32_t spans_per_window() const { return selector_.spans_per_window(); }

  // From now on these.
  void use(const PolicySettings& settings) { policies_.use(settings); }
  [[nodiscard]] PolicyTotals policy_totals() const { return policies_.totals(); }

 private:
  void push_floor(const Exchange& exchange, RecordTicket ticket);

  Counters& counters_;
  FloorQueue floor_;
  PolicyRules policies_;
  CandidateStore store_;
  Selector selector_;
};

}  // namespace exa
