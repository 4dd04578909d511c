#include "exporters/console/make_console.h"

#include "exporters/console/json_exporter.h"
#include "exporters/console/line_output.h"
#include "exporters/console/table_exporter.h"

namespace exa {

Output make_console(const ConsoleSettings& settings, ExportCounters& counters) {
  const auto lines = std::make_shared<LineOutput>(settings.fd);
  Output output{.failure = [lines] { return lines->error(); }};
  if (settings.form == ConsoleForm::kJson) {
    output.spans.push_back(
        std::make_unique<JsonSpanExporter>(lines, settings.counts_spans ? &counters : nullptr));
    output.metrics.push_back(std::make_unique<JsonMetricExporter>(lines));
    return output;
  }
  auto table = settings.table;
  table.colours = colours_wanted(settings.fd);
  output.metrics.push_back(std::make_unique<TableExporter>(
      lines, table, [fd = settings.fd, in_place = settings.in_place] {
        auto size = terminal_size(fd);
        if (!in_place) size.lines = 0;
        return size;
      }));
  return output;
}

}  // namespace exa
