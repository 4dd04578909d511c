// A readable table at each window: one row a service, side, method and status, of the requests of
// that window, with the exemplars that open their traces.
// Window thread only. Budget: the previous counts of each series of the last batch.
#pragma once

#include <memory>
#include <string>

#include "exa/export/metric_exporter.h"
#include "exporters/console/line_output.h"
#include "exporters/console/window_delta.h"

namespace exa {

struct TableSettings {
  std::size_t rows = 20;  // by total time; the rest is one line
  std::size_t exemplars_of_row = 2;
  bool colours = false;  // see colours_wanted
};

// Pure: the text of one window.
std::string table_text(const WindowDelta& window, const TableSettings& settings);

class TableExporter final : public MetricExporter {
 public:
  TableExporter(std::shared_ptr<LineOutput> output, TableSettings settings)
      : output_(std::move(output)), settings_(settings) {}
  void export_metrics(std::shared_ptr<const MetricBatch> batch) override;
  void shutdown(std::chrono::steady_clock::time_point) override {}

 private:
  const std::shared_ptr<LineOutput> output_;
  const TableSettings settings_;
  DeltaTracker deltas_;
};

}  // namespace exa
