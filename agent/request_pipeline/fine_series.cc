#include "agent/request_pipeline/fine_series.h"

#include "agent/exemplars/slot.h"

namespace exa {

void FineWindow::merge(const FineWindow& later) {
  cells = merged_cells(cells, later.cells);
  if (later.slowest_ns <= slowest_ns) return;
  slowest_ns = later.slowest_ns;
  slowest = later.slowest;
}

FineSeries::Entry* FineSeries::new_entry(SeriesIndex series) {
  if (entries_.size() == most_series_) {
    counters_.add(Counter::kFineOverflow);
    return nullptr;
  }
  auto& entry = entries_.add(series);
  entry.histogram.clear();
  entry.slowest_ns = 0;
  entry.slowest = Exchange{};
  return &entry;
}

// Of two that took equally long the one that the sampler prefers, so that both name the same.
void FineSeries::take_slowest(Entry& entry, std::uint64_t value_ns, const Exchange& exchange) {
  const bool first = !entry.slowest.read.known();
  if (!first && value_ns == entry.slowest_ns && !rank_of(exchange).beats(rank_of(entry.slowest)))
    return;
  entry.slowest_ns = value_ns;
  entry.slowest = exchange;
}

std::shared_ptr<FineWindow> FineSeries::window_of(SeriesIndex series) const {
  const auto* const entry = entries_.find(series);
  if (entry == nullptr) return nullptr;
  return std::make_shared<FineWindow>(FineWindow{.cells = entry->histogram.cells(),
                                                 .slowest_ns = entry->slowest_ns,
                                                 .slowest = entry->slowest});
}

}  // namespace exa
