// The columns of the table: which of them a width has room for, and how wide they are. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace exa {

enum class TableColumn : std::uint8_t {
  kService,
  kSide,
  kMethod,
  kStatus,
  kRate,
  kP50,
  kP90,
  kP99,
  kMax,
  kErrors,
};
inline constexpr std::size_t kTableColumns = 10;
using TableCells = std::array<std::string, kTableColumns>;

class TableColumns {
 public:
  // columns: of the terminal; 0: no limit. Texts shrink before a column goes.
  TableColumns(const std::vector<TableCells>& rows, std::size_t columns);

  [[nodiscard]] std::string titles() const;
  // With the gap before it; empty where the column has no room.
  [[nodiscard]] std::string cell(const TableCells& cells, TableColumn column) const;

 private:
  [[nodiscard]] std::size_t total() const;

  std::array<std::size_t, kTableColumns> widths_{};  // 0: not shown
  std::size_t gap_ = 2;
};

}  // namespace exa
