// The default sampler: in each series one request a bucket and error class, the one of the largest
// R, and the slowest; within a budget of spans; and besides the floor.
//
// Capture thread only, owned by RequestPipeline. Bounds: one SeriesStrata a series of the registry,
// `kept_records` copies of candidates, of one target at most as many as are free,
// `floor_capacity` floor requests.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "agent/exemplars/exemplar_sampler.h"
#include "agent/exemplars/floor_queue.h"
#include "agent/exemplars/kept_records.h"
#include "agent/exemplars/series_watch.h"
#include "agent/exemplars/slot.h"
#include "agent/exemplars/span_budget.h"
#include "agent/telemetry/counters.h"

namespace exa {

struct SamplerOptions {
  std::uint32_t spans_per_window = 100;
  std::uint32_t burst_spans = 200;
  double floor_probability = 0.005;
  std::uint32_t floor_capacity = 1024;  // requests a window
  std::uint32_t kept_records = 16384;
};

// The candidates of one series in one window.
struct alignas(64) SeriesStrata {  // so that a slot lies in one line of the cache
  std::array<std::array<StratumSlot, kMaxBuckets>, 2> slots;  // ok, error
  SlowestSlot slowest;
  void merge(const SeriesStrata& other);
};

class CoordinatedSampler final : public ExemplarSampler {
 public:
  CoordinatedSampler(const SamplerOptions& options, Counters& counters);

  void on_request(const Exchange& exchange, RecordTicket ticket) override {
    if (floor_.admits(exchange)) [[unlikely]]
      push_floor(exchange, ticket);
  }

  void on_value(const Candidate& candidate, const Exchange& exchange) override {
    if (candidate.series >= strata_.size()) [[unlikely]]
      strata_.resize(candidate.series + 1);
    auto& strata = strata_[candidate.series];
    auto& slot = strata.slots[candidate.is_error][candidate.bucket];
    const auto rank = rank_of(exchange);
    if (slot.count++ == 0 || rank.beats(slot.rank)) [[unlikely]]
      take(slot, rank, candidate.ticket, exchange);
    if (candidate.is_duration && strata.slowest.loses_to(candidate.value, rank)) [[unlikely]]
      take_slowest(strata.slowest, rank, candidate, exchange);
  }

  Selection close_window(const SeriesRegistry& registry, const FlightRecorder& recorder) override;
  void forget(SeriesIndex series) override;

 private:
  struct Contender;
  class Chooser;

  // Ids of targets have a number in their lower half that no two of the living share.
  static constexpr std::size_t kTargetNumbers = 1 << 16;

  std::uint32_t keep(std::uint32_t place, const Exchange& exchange);
  void take(StratumSlot& slot, const Rank& rank, RecordTicket ticket, const Exchange& exchange);
  void take_slowest(SlowestSlot& slowest, const Rank& rank, const Candidate& candidate,
                    const Exchange& exchange);
  void push_floor(const Exchange& exchange, RecordTicket ticket);
  std::vector<Contender> ranked_contenders(const SeriesRegistry& registry,
                                           std::span<const double> error_ratios);
  void add_floor(Chooser& chooser, Selection& selection);

  SamplerOptions options_;
  Counters& counters_;
  SpanBudget budget_;
  FloorQueue floor_;
  KeptRecords kept_;
  std::vector<std::uint32_t> kept_of_target_;
  std::vector<SeriesStrata> strata_;  // by SeriesIndex
  std::vector<SeriesWatch> watches_;  // by SeriesIndex
};

}  // namespace exa
