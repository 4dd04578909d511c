// The newest batch, the exemplars of it and of those before it, and the renderings: each format at
// most once a batch, whoever asks.
// set from the window thread; get from the endpoint's only thread, which does the rendering.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <string>

#include "exa/export/export_counters.h"
#include "exa/model/exemplar_store.h"
#include "exa/model/metric.h"
#include "exporters/openmetrics/exemplar_shelf.h"
#include "exporters/openmetrics/negotiation.h"

namespace exa {

// An immutable body; shared by all answers that are still being written.
struct ScrapeBody {
  std::string bytes;
  bool gzipped = false;
  std::size_t exemplars_omitted = 0;
};

class ScrapeCache {
 public:
  explicit ScrapeCache(const ExemplarStoreLimits& limits = {}) : shelf_(limits) {}
  ExemplarShelf::Losses set(std::shared_ptr<const MetricBatch> batch);
  std::shared_ptr<const ScrapeBody> get(ScrapeFormat format, bool gzipped);
  // Any thread.
  [[nodiscard]] ExemplarStoreState exemplar_store() const;

 private:
  struct Bodies {
    std::shared_ptr<const ScrapeBody> plain;
    std::shared_ptr<const ScrapeBody> packed;
  };
  mutable std::mutex mutex_;
  std::shared_ptr<const MetricBatch> newest_ = std::make_shared<const MetricBatch>();
  ExemplarShelf shelf_;

  // The endpoint's thread.
  std::shared_ptr<const MetricBatch> rendered_;  // what bodies_ are of
  std::array<Bodies, 2> bodies_;                 // by format
};

}  // namespace exa
