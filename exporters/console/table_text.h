// The table of one window, as wide and as high as a terminal is. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "exporters/console/window_rows.h"

namespace exa {

struct TableSettings {
  std::size_t rows = 20;    // the rest is one line
  std::size_t columns = 0;  // of the terminal; 0: as wide as the rows are
  std::size_t lines = 0;    // of the terminal; 0: as many as the rows take
  RowOrder order = RowOrder::kTime;
  bool colours = false;         // see colours_wanted
  bool spans_exported = false;  // to somebody who may acknowledge them
};

// A service and its rows, each with its slowest request; then what was lost, why no exemplar opens
// a trace where none does, and how many rows found no place.
std::string table_text(const WindowView& window, const TableSettings& settings);

}  // namespace exa
