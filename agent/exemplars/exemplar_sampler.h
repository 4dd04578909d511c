// Decides which requests explain the histograms. The seam that holds the policies: a sampler sees
// every request once, every value once for each series it counts in, and is asked at window close.
// Capture thread only. on_request and on_value must not allocate, block or draw random numbers.
#pragma once

#include <cstdint>
#include <vector>

#include "agent/exemplars/flight_recorder.h"
#include "agent/metrics/series_registry.h"
#include "exa/model/exchange.h"
#include "exa/model/metric.h"

namespace exa {

// One value as it was counted.
struct Candidate {
  SeriesIndex series = 0;
  std::uint8_t bucket = 0;
  bool is_error = false;
  bool is_duration = true;  // so that the largest is the slowest
  std::uint64_t value = 0;
  RecordTicket ticket = 0;
};

// A request that will stand as exemplar in one series.
struct Winner {
  SeriesIndex series = 0;
  std::uint8_t bucket = 0;
  bool is_error = false;
  ExemplarReason reason = ExemplarReason::kBucket;
  std::uint64_t weight = 1;    // requests of its stratum, for which it stands
  std::uint32_t exchange = 0;  // in Selection::exchanges
};

struct ChosenExchange {
  Exchange exchange;
  RecordTicket ticket = 0;
  bool in_floor = false;
};

struct Selection {
  std::vector<ChosenExchange> exchanges;  // distinct; winners first, most important first
  std::vector<Winner> winners;
  // Every request with R at or above this is among the exchanges; 0: the window has no such bound.
  std::uint64_t floor_threshold = 0;
};

class ExemplarSampler {
 public:
  virtual ~ExemplarSampler() = default;
  virtual void on_request(const Exchange& exchange, RecordTicket ticket) = 0;
  virtual void on_value(const Candidate& candidate, const Exchange& exchange) = 0;
  // Chooses among what came since the last call and forgets it. Called before the registry's own
  // close_window, so the deltas are those the candidates were counted in.
  virtual Selection close_window(const SeriesRegistry& registry,
                                 const FlightRecorder& recorder) = 0;
  // The series is gone; its index may come to name another one.
  virtual void forget(SeriesIndex series) = 0;
};

}  // namespace exa
