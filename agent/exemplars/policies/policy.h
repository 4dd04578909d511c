// Which requests may become exemplars of a series at all. What is admitted competes for the strata
// of its series as ever: a policy neither ranks nor stores, and knows of no budget.
//
// Capture thread only, owned by the sampler. see() and admits() are on the record path: they must
// not allocate in steady state, block, or draw random numbers; chance is the exchange's R, so that
// all agents take the same traces (randomness_threshold). Time is the exchange's too.
#pragma once

#include <cstdint>
#include <string_view>

#include "agent/metrics/series_registry.h"
#include "exa/model/exchange.h"

namespace exa {

// One value as it was counted in its series.
struct Offer {
  SeriesIndex series = 0;
  std::uint8_t bucket = 0;
  bool is_error = false;
  bool is_duration = true;      // so that the largest is the slowest
  bool counts_requests = true;  // one such value per request, however many series it has
  std::uint64_t value = 0;
  std::string_view service = {};  // service.name of its target
  const Exchange& exchange;
};

class Policy {
 public:
  virtual ~Policy() = default;
  // Every value of every series, in the order in which they were counted, before admits(): also of
  // those of which it is not asked, as another policy has decided. What is remembered of a series
  // lies in a PerSeries of its own.
  virtual void see(const Offer& /*offer*/) {}
  [[nodiscard]] virtual bool admits(const Offer& offer) = 0;
  virtual void begin_window() {}
  // The series is gone; its index may come to name another one.
  virtual void forget(SeriesIndex /*series*/) {}
};

}  // namespace exa
