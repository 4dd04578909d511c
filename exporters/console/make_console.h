// The console as an output: tables, or JSON lines. Starts no thread.
#pragma once

#include <unistd.h>

#include <cstdint>

#include "exa/export/export_counters.h"
#include "exa/export/output.h"
#include "exporters/console/table_text.h"

namespace exa {

enum class ConsoleForm : std::uint8_t { kTable, kJson };

struct ConsoleSettings {
  ConsoleForm form = ConsoleForm::kTable;
  // Its size and its colours are those of the terminal.
  TableSettings table{};
  bool in_place = true;      // on a terminal, tables in the place of the one before
  bool counts_spans = true;  // false: another exporter of the same spans does
  int fd = STDOUT_FILENO;    // not owned
};

// Counters must outlive what is returned.
Output make_console(const ConsoleSettings& settings, ExportCounters& counters);

}  // namespace exa
