// The values of each series of the open window as exponential histograms, where those are exported.
//
// Capture thread only, owned by RequestPipeline. As many as the registry has series, 1.3 KiB each.
#pragma once

#include <memory>

#include "agent/metrics/exponential_histogram.h"
#include "agent/metrics/series_registry.h"
#include "agent/request_pipeline/window_entries.h"

namespace exa {

class ExponentialSeries {
 public:
  explicit ExponentialSeries(bool kept) : kept_(kept) {}

  // In the unit of the metric.
  void add(SeriesIndex series, double value) {
    if (!kept_) return;
    auto* histogram = entries_.find(series);
    if (histogram == nullptr) [[unlikely]] {
      histogram = &entries_.add(series);
      *histogram = {};
    }
    histogram->add(value);
  }

  // Null where nothing was kept.
  [[nodiscard]] std::shared_ptr<ExponentialHistogram> window_of(SeriesIndex series) const {
    const auto* const histogram = entries_.find(series);
    return histogram == nullptr ? nullptr : std::make_shared<ExponentialHistogram>(*histogram);
  }
  void begin_window() { entries_.begin_window(); }

 private:
  const bool kept_;
  WindowEntries<ExponentialHistogram> entries_;
};

}  // namespace exa
