// Which requests may become exemplars of a series at all. What is admitted competes for the strata
// of its series as ever: a policy neither ranks nor stores, and knows of no budget.
//
// Capture thread only, owned by the sampler. admits() is on the record path: it must not allocate
// in steady state, block, or draw random numbers; chance is the exchange's R, so that all agents
// take the same traces (randomness_threshold). Time is the exchange's too.
#pragma once

#include <cstdint>
#include <memory>

#include "agent/exemplars/flight_recorder.h"
#include "agent/metrics/series_registry.h"
#include "exa/model/exchange.h"

namespace exa {

// One value as it was counted in its series.
struct Offer {
  SeriesIndex series = 0;
  std::uint8_t bucket = 0;
  bool is_error = false;
  bool is_duration = true;  // so that the largest is the slowest
  std::uint64_t value = 0;
  RecordTicket ticket = 0;
  const Exchange& exchange;
};

class Policy {
 public:
  virtual ~Policy() = default;
  // Asked once for every value of every series, in the order in which they were counted. What it
  // remembers of a series lies in a PerSeries of its own.
  [[nodiscard]] virtual bool admits(const Offer& offer) = 0;
  virtual void begin_window() {}
  // The series is gone; its index may come to name another one.
  virtual void forget(SeriesIndex /*series*/) {}
};

// As whoever configures names it.
using MakePolicy = std::unique_ptr<Policy> (*)();

template <typename T>
std::unique_ptr<Policy> make_policy() {
  return std::make_unique<T>();
}

}  // namespace exa
