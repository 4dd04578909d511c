#include "agent/discovery/elf/symbols.h"

#include <elf.h>

#include <algorithm>

#include "agent/discovery/elf/dynamic.h"
#include "agent/discovery/elf/string_search.h"

namespace exa {
namespace {

constexpr std::size_t kMaxFound = 256;

bool is_defined_function(const Elf64_Sym& symbol) {
  return ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_shndx != SHN_UNDEF &&
         symbol.st_value != 0;
}

ElfResult<std::vector<FunctionSymbol>> search(ElfImage& image, const SymbolTable& table,
                                              std::span<const std::string_view> wanted) {
  const auto names = find_names(image.reader(), table.strings_offset, table.strings_bytes, wanted);
  if (!names) return std::unexpected(names.error());
  std::vector<FunctionSymbol> found;
  const NameIndex index(*names);
  if (index.empty()) return found;

  constexpr std::uint64_t kPerWindow = FileWindow::kDefaultBytes / sizeof(Elf64_Sym);
  FileWindow window(image.reader());
  for (std::uint64_t first = 0; first < table.count; first += kPerWindow) {
    const auto count = static_cast<std::size_t>(std::min(kPerWindow, table.count - first));
    const auto bytes =
        window.at(table.offset + first * sizeof(Elf64_Sym), count * sizeof(Elf64_Sym));
    if (!bytes) return std::unexpected(bytes.error());
    for (std::size_t i = 0; i < count; ++i) {
      const auto name = load_at<std::uint32_t>(*bytes, i * sizeof(Elf64_Sym));
      const NameOffset* const match = index.find(name);
      if (match == nullptr) continue;
      const auto symbol = load_at<Elf64_Sym>(*bytes, i * sizeof(Elf64_Sym));
      if (!is_defined_function(symbol)) continue;
      const auto offset =
          image.code_offset(symbol.st_value, std::max<std::uint64_t>(symbol.st_size, 1));
      if (!offset) continue;
      if (found.size() == kMaxFound) return std::unexpected(ElfError::kTooMuch);
      found.push_back({match->wanted, symbol.st_value, symbol.st_size, *offset});
    }
  }
  std::ranges::sort(found);
  const auto twice = std::ranges::unique(found, [](const auto& a, const auto& b) {
    return a.wanted == b.wanted && a.vaddr == b.vaddr;
  });
  found.erase(twice.begin(), twice.end());
  return found;
}

ElfResult<SymbolTable> table_of(const Section* section) {
  if (section == nullptr) return std::unexpected(ElfError::kAbsent);
  if (section->entry_bytes != sizeof(Elf64_Sym)) return std::unexpected(ElfError::kMalformed);
  return SymbolTable{.offset = section->offset,
                     .count = section->size_bytes / sizeof(Elf64_Sym),
                     .strings_offset = section->strings_offset,
                     .strings_bytes = section->strings_bytes};
}

}  // namespace

ElfResult<std::vector<FunctionSymbol>> find_exported(ElfImage& image,
                                                     std::span<const std::string_view> wanted) {
  if (const auto table = table_of(image.section_of_type(SHT_DYNSYM)))
    return search(image, *table, wanted);
  const auto dynamic = read_dynamic(image);
  if (!dynamic) return std::unexpected(dynamic.error());
  if (!dynamic->symbols) return std::unexpected(ElfError::kAbsent);
  return search(image, *dynamic->symbols, wanted);
}

ElfResult<std::vector<FunctionSymbol>> find_local(ElfImage& image,
                                                  std::span<const std::string_view> wanted) {
  const auto table = table_of(image.section_of_type(SHT_SYMTAB));
  if (!table) return std::unexpected(table.error());
  return search(image, *table, wanted);
}

}  // namespace exa
