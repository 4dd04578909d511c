#include "exporters/console/table_columns.h"

#include <algorithm>

#include "exporters/console/safe_text.h"

namespace exa {
namespace {

struct Column {
  const char* title;
  std::size_t least;  // wide, where it is shown
  std::size_t most;
  bool right;
};
constexpr std::array<Column, kTableColumns> kColumns = {{
    {"SERVICE", 10, 40, false},
    {"SIDE", 6, 6, false},
    {"METHOD", 6, 24, false},
    {"STATUS", 6, 18, false},
    {"RATE/S", 6, 12, true},
    {"P50", 7, 9, true},
    {"P90", 7, 9, true},
    {"P99", 7, 9, true},
    {"MAX", 7, 9, true},
    {"ERRORS", 6, 12, true},
}};

constexpr std::size_t index_of(TableColumn column) {
  return static_cast<std::size_t>(column);
}

}  // namespace

TableColumns::TableColumns(const std::vector<TableCells>& rows, std::size_t columns) {
  for (std::size_t c = 0; c < kTableColumns; ++c) {
    widths_[c] = kColumns[c].least;
    for (const TableCells& row : rows)
      widths_[c] = std::max(widths_[c], std::min(columns_of(row[c]), kColumns[c].most));
  }
  if (columns == 0) return;
  const auto shrink = [&](TableColumn column, std::size_t least) {
    auto& width = widths_[index_of(column)];
    while (total() > columns && width > least)
      --width;
  };
  shrink(TableColumn::kService, 24);
  shrink(TableColumn::kMethod, 9);
  shrink(TableColumn::kStatus, 12);
  if (total() > columns) gap_ = 1;
  shrink(TableColumn::kService, 16);
  shrink(TableColumn::kStatus, kColumns[index_of(TableColumn::kStatus)].least);
  shrink(TableColumn::kMethod, kColumns[index_of(TableColumn::kMethod)].least);
  for (const TableColumn dispensable : {TableColumn::kP90, TableColumn::kErrors, TableColumn::kP50,
                                        TableColumn::kRate, TableColumn::kSide}) {
    shrink(TableColumn::kService, kColumns[index_of(TableColumn::kService)].least);
    if (total() > columns) widths_[index_of(dispensable)] = 0;
  }
}

std::size_t TableColumns::total() const {
  std::size_t total = 0;
  for (const std::size_t width : widths_)
    total += width == 0 ? 0 : width + gap_;
  return total - gap_;
}

std::string TableColumns::cell(const TableCells& cells, TableColumn column) const {
  const auto c = index_of(column);
  if (widths_[c] == 0) return {};
  const std::string text = fitted(cells[c], widths_[c]);
  const std::string blank(widths_[c] - std::min(columns_of(text), widths_[c]), ' ');
  return std::string(c == 0 ? 0 : gap_, ' ') + (kColumns[c].right ? blank + text : text + blank);
}

std::string TableColumns::titles() const {
  TableCells titles;
  std::string line;
  for (std::size_t c = 0; c < kTableColumns; ++c)
    titles[c] = kColumns[c].title;
  for (std::size_t c = 0; c < kTableColumns; ++c)
    line += cell(titles, static_cast<TableColumn>(c));
  return line;
}

}  // namespace exa
