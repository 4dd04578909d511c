// The candidates of the open window: in each series one request a bucket and error class, the one
// of the largest R, and the slowest, with copies of as many of them as there is room for. Capture
// thread, owned by the sampler. Bounds: one SeriesStrata a series of the registry, `kept_records`
// copies, of one target at most as many as are free. No allocation in steady state.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "agent/exemplars/flight_recorder.h"
#include "agent/exemplars/kept_records.h"
#include "agent/exemplars/policies/policy.h"
#include "agent/exemplars/slot.h"
#include "agent/metrics/per_series.h"

namespace exa {

// The candidates of one series in one window.
struct alignas(64) SeriesStrata {  // so that a slot lies in one line of the cache
  std::array<std::array<StratumSlot, kMaxBuckets>, 2> slots;  // ok, error
  SlowestSlot slowest;
  std::uint64_t errors = 0;  // of all requests, admitted or not
  void merge(const SeriesStrata& other);
};

class CandidateStore {
 public:
  explicit CandidateStore(std::uint32_t kept_records);

  // Counts the request, whether or not it may compete.
  SeriesStrata& count(const Offer& offer) {
    auto& strata = strata_.of(offer.series);
    strata.errors += offer.is_error ? 1 : 0;
    return strata;
  }
  void compete(SeriesStrata& strata, const Offer& offer, RecordTicket ticket) {
    auto& slot = strata.slots[offer.is_error][offer.bucket];
    const auto rank = rank_of(offer.exchange);
    if (slot.count++ == 0 || rank.beats(slot.rank)) [[unlikely]]
      take(slot, rank, offer, ticket);
    if (offer.is_duration && strata.slowest.loses_to(offer.value, rank)) [[unlikely]]
      take_slowest(strata.slowest, rank, offer, ticket);
  }

  // Also of series in which nothing competed.
  void cover(std::size_t index_bound) { strata_.cover(index_bound); }
  [[nodiscard]] const SeriesStrata& strata_of(SeriesIndex series) const { return strata_[series]; }
  // Nothing if the recorder has overwritten it.
  [[nodiscard]] std::optional<Exchange> load(const StratumSlot& slot,
                                             const FlightRecorder& recorder) const;
  // The window is closed; these are the series that counted in it.
  void clear(std::span<const SeriesIndex> active);

 private:
  // Ids of targets have a number in their lower half that no two of the living share.
  static constexpr std::size_t kTargetNumbers = 1 << 16;

  void take(StratumSlot& slot, const Rank& rank, const Offer& offer, RecordTicket ticket);
  void take_slowest(SlowestSlot& slowest, const Rank& rank, const Offer& offer,
                    RecordTicket ticket);
  std::uint32_t keep(std::uint32_t place, const Exchange& exchange);

  PerSeries<SeriesStrata> strata_;
  KeptRecords kept_;
  std::vector<std::uint32_t> kept_of_target_;
};

}  // namespace exa
