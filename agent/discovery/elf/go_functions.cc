#include "agent/discovery/elf/go_functions.h"

#include <algorithm>

#include "agent/discovery/elf/go_function_table.h"
#include "agent/discovery/elf/string_search.h"

namespace exa {
namespace {

constexpr std::size_t kMaxFound = 256;

ElfResult<std::uint64_t> load_number(FileWindow& window, const GoFunctionTable& table,
                                     std::uint64_t index) {
  const std::uint64_t at = table.functions_offset + index * table.number_bytes();
  if (!table.offsets_from_text) return window.load<std::uint64_t>(at);
  const auto number = window.load<std::uint32_t>(at);
  if (!number) return std::unexpected(number.error());
  return *number;
}

// Where the name of a record's function stands in the name table; follows the entry address.
ElfResult<std::uint32_t> load_name(FileWindow& window, const GoFunctionTable& table,
                                   std::uint64_t record) {
  const std::uint64_t base = table.functions_offset - table.offset;
  std::uint64_t at = 0;
  if (add_overflows(base + table.number_bytes(), record, at) || at > table.bytes_in_reach - 4)
    return std::unexpected(ElfError::kMalformed);
  return window.load<std::uint32_t>(table.offset + at);
}

}  // namespace

ElfResult<std::vector<FunctionSymbol>> find_go_functions(ElfImage& image,
                                                         std::span<const std::string_view> wanted) {
  const auto table = find_go_function_table(image);
  if (!table) return std::unexpected(table.error());
  const auto names = find_names(image.reader(), table->names_offset, table->names_bytes, wanted);
  if (!names) return std::unexpected(names.error());
  std::vector<FunctionSymbol> found;
  const NameIndex name_index(*names);
  if (name_index.empty()) return found;

  // Records are in the order of the index, so both windows only move forward.
  FileWindow index(image.reader());
  FileWindow records(image.reader());
  auto entry = load_number(index, *table, 0);
  for (std::uint64_t i = 0; i < table->function_count; ++i) {
    const auto record = load_number(index, *table, 2 * i + 1);
    const auto next = load_number(index, *table, 2 * i + 2);
    if (!entry || !record || !next) return std::unexpected(ElfError::kTruncated);
    const auto name = load_name(records, *table, *record);
    if (!name) return std::unexpected(name.error());
    if (const NameOffset* match = name_index.find(*name)) {
      std::uint64_t vaddr = 0;
      if (add_overflows(table->text_vaddr, *entry, vaddr) || *next <= *entry)
        return std::unexpected(ElfError::kMalformed);
      const std::uint64_t size = *next - *entry;
      const auto offset = image.code_offset(vaddr, size);
      if (!offset) return std::unexpected(ElfError::kMalformed);
      if (found.size() == kMaxFound) return std::unexpected(ElfError::kTooMuch);
      found.push_back({match->wanted, vaddr, size, *offset});
    }
    entry = next;
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace exa
