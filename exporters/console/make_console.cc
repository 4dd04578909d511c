#include "exporters/console/make_console.h"

#include "exporters/console/buffered_output.h"
#include "exporters/console/json_exporter.h"
#include "exporters/console/table_exporter.h"

namespace exa {

Output make_console(const ConsoleSettings& settings, ExportCounters& counters, const LogSink& log) {
  std::shared_ptr<LineOutput> lines;
  if (settings.live)
    lines = std::make_shared<BufferedOutput>(settings.fd, counters, log);
  else
    lines = std::make_shared<WaitingOutput>(settings.fd);
  Output output{.failure = [lines] { return lines->error(); }};
  if (settings.form == ConsoleForm::kJson) {
    output.spans.push_back(
        std::make_unique<JsonSpanExporter>(lines, settings.counts_spans ? &counters : nullptr));
    output.metrics.push_back(std::make_unique<JsonMetricExporter>(lines));
    return output;
  }
  auto table = settings.table;
  table.colours = colours_wanted(settings.fd);
  output.metrics.push_back(
      std::make_unique<TableExporter>(lines, table, [fd = settings.fd, live = settings.live] {
        auto size = terminal_size(fd);
        if (!live) size.lines = 0;
        return size;
      }));
  return output;
}

}  // namespace exa
