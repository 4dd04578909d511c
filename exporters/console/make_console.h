// The console as an output: tables, or JSON lines.
#pragma once

#include <unistd.h>

#include <cstdint>

#include "exa/export/export_counters.h"
#include "exa/export/log_sink.h"
#include "exa/export/output.h"
#include "exporters/console/table_text.h"

namespace exa {

enum class ConsoleForm : std::uint8_t { kTable, kJson };

struct ConsoleSettings {
  ConsoleForm form = ConsoleForm::kTable;
  // Its size and its colours are those of the terminal.
  TableSettings table{};
  // false: complete for whoever reads it, however slow: waits, and no table takes another's place.
  bool live = true;
  bool counts_spans = true;  // false: another exporter of the same spans does
  int fd = STDOUT_FILENO;    // not owned
};

// A live one starts a thread. counters, and what the sink stands on, outlive what is returned.
Output make_console(const ConsoleSettings& settings, ExportCounters& counters, const LogSink& log);

}  // namespace exa
