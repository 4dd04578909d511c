// Where metric batches go.
#pragma once

#include <chrono>
#include <memory>

#include "exa/model/metric.h"

namespace exa {

class MetricExporter {
 public:
  virtual ~MetricExporter() = default;
  // Window thread only; never waits for a network. Cumulative batches supersede one another: an
  // exporter that is behind keeps only the newest.
  virtual void export_metrics(std::shared_ptr<const MetricBatch> batch) = 0;
  // Delivers the newest batch if that can be done before the deadline. Idempotent.
  virtual void shutdown(std::chrono::steady_clock::time_point deadline) = 0;
};

}  // namespace exa
