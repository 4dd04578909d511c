// What a window chooses among its candidates: ranks them in one order, serves them within the
// budget of spans, and adds the floor. Capture thread, at window close; owned by the sampler. One
// SeriesWatch a series of the registry.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "agent/exemplars/flight_recorder.h"
#include "agent/exemplars/floor_queue.h"
#include "agent/exemplars/reactive_budget.h"
#include "agent/exemplars/series_watch.h"
#include "agent/exemplars/span_budget.h"
#include "agent/exemplars/store.h"
#include "agent/metrics/per_series.h"
#include "agent/metrics/series_registry.h"
#include "agent/telemetry/counters.h"
#include "exa/model/exchange.h"
#include "exa/model/metric.h"

namespace exa {

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

class Selector {
 public:
  struct Budget {
    SpanBudget spans;
    ReactiveBudget reactive;             // how many of them a window fills in
    double allowed_error_ratio = 0.001;  // at which a service's error budget just lasts
  };
  Selector(const Budget& budget, Counters& counters) : budget_(budget), counters_(counters) {}

  // store covers the registry.
  Selection choose(const SeriesRegistry& registry, const CandidateStore& store,
                   const FloorQueue& floor, const FlightRecorder& recorder);
  // Of the window that is chosen from next.
  void on_pressure(BudgetPressure pressure) { pressure_ = pressure; }
  [[nodiscard]] std::uint32_t spans_per_window() const { return budget_.reactive.spans(); }
  // The series is gone; its index may come to name another one.
  void forget(SeriesIndex series) { watches_.forget(series); }

 private:
  struct Contender;
  class Chooser;

  void refill_budget(double worst_error_ratio);
  [[nodiscard]] std::vector<Contender> ranked_contenders(
      const SeriesRegistry& registry, const CandidateStore& store,
      std::span<const double> error_ratios) const;
  static void add_floor(const FloorQueue& floor, Chooser& chooser, Selection& selection);

  Budget budget_;
  BudgetPressure pressure_;
  Counters& counters_;
  PerSeries<SeriesWatch> watches_;
};

}  // namespace exa
