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
  if (used_ == most_series_) {
    counters_.add(Counter::kFineOverflow);
    return nullptr;
  }
  if (series >= places_.size()) places_.resize(series + 1);
  if (used_ == entries_.size()) entries_.push_back(std::make_unique<Entry>());
  auto& entry = *entries_[used_++];
  entry.histogram.clear();
  entry.series = series;
  entry.slowest_ns = 0;
  entry.slowest = Exchange{};
  places_[series] = static_cast<std::uint32_t>(used_);
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
  if (series >= places_.size() || places_[series] == 0) return nullptr;
  const auto& entry = *entries_[places_[series] - 1];
  return std::make_shared<FineWindow>(FineWindow{
      .cells = entry.histogram.cells(), .slowest_ns = entry.slowest_ns, .slowest = entry.slowest});
}

void FineSeries::begin_window() {
  for (std::size_t i = 0; i < used_; ++i)
    places_[entries_[i]->series] = 0;
  used_ = 0;
}

}  // namespace exa
