// A readable table at each window, on a terminal in the place of the one before.
// Window thread only. Budget: what WindowReader holds.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "exa/export/metric_exporter.h"
#include "exporters/console/line_output.h"
#include "exporters/console/table_text.h"
#include "exporters/console/window_rows.h"

namespace exa {

struct TerminalSize {
  std::size_t columns = 0;  // 0: no terminal
  std::size_t lines = 0;
};

// Of the terminal that fd is. Where it is none, COLUMNS may say how wide the table is to be.
TerminalSize terminal_size(int fd);

class TableExporter final : public MetricExporter {
 public:
  // size: asked at each window, since a terminal may change it.
  using Size = std::function<TerminalSize()>;
  TableExporter(std::shared_ptr<LineOutput> output, TableSettings settings, Size size)
      : output_(std::move(output)), settings_(settings), size_(std::move(size)) {}
  void export_metrics(std::shared_ptr<const MetricBatch> batch) override;
  void shutdown(std::chrono::steady_clock::time_point deadline) override {
    output_->shutdown(deadline);
  }

 private:
  const std::shared_ptr<LineOutput> output_;
  TableSettings settings_;
  const Size size_;
  WindowReader reader_;
  bool drawn_ = false;
};

// From the upper left corner on, over what stands there. Pure.
std::string drawn_in_place(const std::string& text);

}  // namespace exa
