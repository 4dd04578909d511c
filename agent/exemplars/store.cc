#include "agent/exemplars/store.h"

#include <algorithm>

namespace exa {

void SeriesStrata::merge(const SeriesStrata& other) {
  for (std::size_t error = 0; error < slots.size(); ++error)
    for (std::size_t bucket = 0; bucket < kMaxBuckets; ++bucket)
      slots[error][bucket].merge(other.slots[error][bucket]);
  slowest.merge(other.slowest);
  errors += other.errors;
}

CandidateStore::CandidateStore(std::uint32_t kept_records)
    : kept_(kept_records), kept_of_target_(kTargetNumbers) {}

// Whoever has many candidates leaves room for the others': his own may be overwritten in the flight
// recorder.
std::uint32_t CandidateStore::keep(std::uint32_t place, const Exchange& exchange) {
  auto& of_target = kept_of_target_[exchange.target % kTargetNumbers];
  if (place == KeptRecords::kNone && of_target >= kept_.free()) return KeptRecords::kNone;
  const auto kept = kept_.store(place, exchange);
  of_target += place == KeptRecords::kNone ? 1 : 0;
  return kept;
}

void CandidateStore::take(StratumSlot& slot, const Rank& rank, const Offer& offer,
                          RecordTicket ticket) {
  slot.rank = rank;
  slot.ticket = ticket;
  slot.kept = keep(slot.kept, offer.exchange);
}

void CandidateStore::take_slowest(SlowestSlot& slowest, const Rank& rank, const Offer& offer,
                                  RecordTicket ticket) {
  slowest.value_ns = offer.value;
  slowest.slot.count = 1;
  take(slowest.slot, rank, offer, ticket);
}

std::optional<Exchange> CandidateStore::load(const StratumSlot& slot,
                                             const FlightRecorder& recorder) const {
  if (slot.kept != KeptRecords::kNone) return kept_.load(slot.kept);
  return recorder.find(slot.ticket);
}

void CandidateStore::clear(std::span<const SeriesIndex> active) {
  for (const auto series : active)
    strata_[series] = SeriesStrata{};
  if (kept_.size() > 0) std::ranges::fill(kept_of_target_, 0);
  kept_.clear();
}

}  // namespace exa
