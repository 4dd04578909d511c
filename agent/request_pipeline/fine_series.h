// What a person at a terminal wants to know of each series of the open window, and no exporter
// does: its durations counted finely, and the request that took longest.
//
// Capture thread only, owned by RequestPipeline. Bounded by most_series in one window (0: nothing
// is kept, at no cost); requests of further series are counted as not kept. No allocation but when
// a window has more series than any before it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "agent/metrics/fine_histogram.h"
#include "agent/metrics/series_registry.h"
#include "agent/request_pipeline/window_entries.h"
#include "agent/telemetry/counters.h"
#include "exa/model/exchange.h"

namespace exa {

// Of one series and one window.
struct FineWindow {
  std::vector<DurationCell> cells;
  std::uint64_t slowest_ns = 0;
  Exchange slowest;

  void merge(const FineWindow& later);
};

class FineSeries {
 public:
  FineSeries(std::uint32_t most_series, Counters& counters)
      : most_series_(most_series), counters_(counters) {}

  void add(SeriesIndex series, std::uint64_t value_ns, const Exchange& exchange) {
    if (most_series_ == 0) return;
    if (auto* const entry = entry_of(series); entry != nullptr) [[likely]] {
      entry->histogram.add(value_ns);
      if (value_ns >= entry->slowest_ns) [[unlikely]]
        take_slowest(*entry, value_ns, exchange);
    }
  }

  // Null where nothing was kept. The order of the calls does not matter.
  [[nodiscard]] std::shared_ptr<FineWindow> window_of(SeriesIndex series) const;
  void begin_window() { entries_.begin_window(); }

 private:
  struct Entry {
    FineHistogram histogram;
    std::uint64_t slowest_ns = 0;
    Exchange slowest;
  };
  Entry* entry_of(SeriesIndex series) {
    auto* const entry = entries_.find(series);
    return entry != nullptr ? entry : new_entry(series);
  }
  Entry* new_entry(SeriesIndex series);
  static void take_slowest(Entry& entry, std::uint64_t value_ns, const Exchange& exchange);

  const std::uint32_t most_series_;
  Counters& counters_;
  WindowEntries<Entry> entries_;
};

}  // namespace exa
