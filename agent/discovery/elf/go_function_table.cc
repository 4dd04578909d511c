#include "agent/discovery/elf/go_function_table.h"

#include <elf.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "agent/discovery/elf/dynamic.h"

namespace exa {
namespace {

constexpr std::uint32_t kMagic116 = 0xfffffffa;
constexpr std::uint32_t kMagic118 = 0xfffffff0;
constexpr std::uint32_t kMagic120 = 0xfffffff1;
constexpr std::uint64_t kLongHeaderBytes = 72;
constexpr std::uint64_t kShortHeaderBytes = 64;
constexpr std::uint64_t kMaxFunctions = std::uint64_t{1} << 23;
constexpr std::uint64_t kMaxSearchBytes = std::uint64_t{256} << 20;

// Fields of the runtime's moduledata, unchanged since 1.16: the table's address comes first.
constexpr std::uint64_t kModuleMinPc = 160;
constexpr std::uint64_t kModuleMaxPc = 168;
constexpr std::uint64_t kModuleText = 176;
constexpr std::uint64_t kModuleBytes = 184;

// The header at a place, if it is one and all it points to lies in the same segment.
ElfResult<GoFunctionTable> parse_header(FileWindow& window, std::uint64_t offset,
                                        std::uint64_t vaddr, std::uint64_t reach) {
  if (reach < kLongHeaderBytes) return std::unexpected(ElfError::kMalformed);
  const auto bytes = window.at(offset, kLongHeaderBytes);
  if (!bytes) return std::unexpected(bytes.error());
  const auto magic = load_at<std::uint32_t>(*bytes, 0);
  if (magic != kMagic116 && magic != kMagic118 && magic != kMagic120)
    return std::unexpected(ElfError::kAbsent);
  const auto byte = [&](std::size_t at) { return std::to_integer<unsigned>((*bytes)[at]); };
  if (byte(4) != 0 || byte(5) != 0 || byte(7) != 8 || (byte(6) != 1 && byte(6) != 4))
    return std::unexpected(ElfError::kAbsent);

  const bool from_text = magic != kMagic116;
  const std::size_t tables = from_text ? 32 : 24;
  const auto names = load_at<std::uint64_t>(*bytes, tables);
  const auto units = load_at<std::uint64_t>(*bytes, tables + 8);
  const auto functions = load_at<std::uint64_t>(*bytes, tables + 32);
  GoFunctionTable table{.offsets_from_text = from_text,
                        .offset = offset,
                        .vaddr = vaddr,
                        .bytes_in_reach = reach,
                        .function_count = load_at<std::uint64_t>(*bytes, 8),
                        .names_offset = 0,
                        .names_bytes = 0,
                        .functions_offset = 0,
                        .text_vaddr = from_text ? load_at<std::uint64_t>(*bytes, 24) : 0};
  if (table.function_count == 0 || table.function_count > kMaxFunctions)
    return std::unexpected(ElfError::kMalformed);
  if (names < (from_text ? kLongHeaderBytes : kShortHeaderBytes) || units <= names ||
      functions <= units || functions >= reach)
    return std::unexpected(ElfError::kMalformed);
  // One entry more than functions, half as long: the end of the last.
  const std::uint64_t index_bytes = (table.function_count * 2 + 1) * table.number_bytes();
  if (index_bytes > reach - functions) return std::unexpected(ElfError::kMalformed);
  table.names_offset = offset + names;
  table.names_bytes = units - names;
  table.functions_offset = offset + functions;
  return table;
}

// Without sections: the header is aligned and its first bytes are rare.
ElfResult<GoFunctionTable> search_segment(ElfImage& image, const Segment& segment,
                                          std::uint64_t& bytes_left) {
  constexpr std::uint64_t kStep = 8;
  FileWindow window(image.reader());
  FileWindow headers(image.reader(), 4096);
  const std::uint64_t length = std::min(segment.file_bytes, bytes_left);
  bytes_left -= length;
  for (std::uint64_t at = 0; at < length && length - at >= kLongHeaderBytes;) {
    const auto piece = static_cast<std::size_t>(
        std::min<std::uint64_t>(FileWindow::kDefaultBytes, length - at) & ~(kStep - 1));
    if (piece == 0) break;
    const auto bytes = window.at(segment.offset + at, piece);
    if (!bytes) return std::unexpected(bytes.error());
    for (std::size_t i = 0; i < piece; i += kStep) {
      const auto magic = load_at<std::uint32_t>(*bytes, i);
      if (magic != kMagic120 && magic != kMagic118 && magic != kMagic116) continue;
      auto table = parse_header(headers, segment.offset + at + i, segment.vaddr + at + i,
                                segment.file_bytes - at - i);
      if (table) return table;
    }
    at += piece;
  }
  return std::unexpected(ElfError::kAbsent);
}

ElfResult<GoFunctionTable> locate(ElfImage& image) {
  FileWindow window(image.reader(), 4096);
  for (const Section& section : image.sections()) {
    if (section.name != SectionName::kGoFunctionTable) continue;
    const auto mapped = image.file_offset(section.vaddr, section.size_bytes);
    if (mapped != section.offset) continue;  // a section that lies about its place
    auto table = parse_header(window, section.offset, section.vaddr, section.size_bytes);
    if (table) return table;
  }
  std::uint64_t bytes_left = kMaxSearchBytes;
  for (const Segment& segment : image.segments()) {
    if (segment.type != PT_LOAD || (segment.flags & PF_X) != 0) continue;
    auto table = search_segment(image, segment, bytes_left);
    if (table || table.error() != ElfError::kAbsent) return table;
  }
  return std::unexpected(ElfError::kAbsent);
}

// The fields of a module record that place the code: each an address.
struct ModuleAddresses {
  std::uint64_t first, end, text;
};

// Proof that a module record belongs to the table: both name the first and the last function.
class ModuleCheck {
 public:
  static ElfResult<ModuleCheck> of(ElfImage& image, const GoFunctionTable& table) {
    const auto first = image.reader().read_as<std::uint32_t>(table.functions_offset);
    const auto end =
        image.reader().read_as<std::uint32_t>(table.functions_offset + table.function_count * 8);
    if (!first) return std::unexpected(first.error());
    if (!end) return std::unexpected(end.error());
    return ModuleCheck(image, *first, *end);
  }
  [[nodiscard]] bool accepts(const ModuleAddresses& module) const {
    return module.first == module.text + first_ && module.end == module.text + end_ &&
           image_->code_offset(module.text, 1);
  }

 private:
  ModuleCheck(const ElfImage& image, std::uint32_t first, std::uint32_t end)
      : image_(&image), first_(first), end_(end) {}
  const ElfImage* image_;
  std::uint32_t first_, end_;
};

// The module record as the linker wrote it into the data.
std::optional<std::uint64_t> text_by_module(ElfImage& image, const GoFunctionTable& table,
                                            const ModuleCheck& check) {
  FileWindow window(image.reader());
  FileWindow modules(image.reader(), 4096);
  std::uint64_t bytes_left = kMaxSearchBytes;
  for (const Segment& segment : image.segments()) {
    if (segment.type != PT_LOAD || (segment.flags & PF_W) == 0) continue;
    const std::uint64_t length = std::min(segment.file_bytes, bytes_left);
    bytes_left -= length;
    // Segments begin at any address; pointers in them are aligned in memory.
    std::uint64_t at = (8 - segment.vaddr % 8) % 8;
    for (; at < length && length - at >= kModuleBytes; at += 8) {
      const auto pointer = window.load<std::uint64_t>(segment.offset + at);
      if (!pointer) return std::nullopt;
      if (*pointer != table.vaddr) continue;
      const auto module = modules.at(segment.offset + at, kModuleBytes);
      if (!module) return std::nullopt;
      const auto text = load_at<std::uint64_t>(*module, kModuleText);
      if (check.accepts({load_at<std::uint64_t>(*module, kModuleMinPc),
                         load_at<std::uint64_t>(*module, kModuleMaxPc), text}))
        return text;
    }
  }
  return std::nullopt;
}

// Calls visit(place, value) for each word that the loader will fill with an address of the image.
template <typename Visit>
void for_each_relocation(ElfImage& image, const FileRange& relocations, Visit&& visit) {
  const std::uint32_t relative =
      image.machine() == Machine::kX86_64 ? R_X86_64_RELATIVE : R_AARCH64_RELATIVE;
  constexpr std::uint64_t kPerWindow = FileWindow::kDefaultBytes / sizeof(Elf64_Rela);
  const std::uint64_t total = relocations.bytes / sizeof(Elf64_Rela);
  FileWindow window(image.reader());
  for (std::uint64_t first = 0; first < total; first += kPerWindow) {
    const auto count = static_cast<std::size_t>(std::min(kPerWindow, total - first));
    const auto bytes =
        window.at(relocations.offset + first * sizeof(Elf64_Rela), count * sizeof(Elf64_Rela));
    if (!bytes) return;
    for (std::size_t i = 0; i < count; ++i) {
      const auto entry = load_at<Elf64_Rela>(*bytes, i * sizeof(Elf64_Rela));
      if (ELF64_R_TYPE(entry.r_info) == relative)
        visit(entry.r_offset, static_cast<std::uint64_t>(entry.r_addend));
    }
  }
}

// Some linkers leave the words of a position-independent program empty and tell their values only
// to the loader.
std::optional<std::uint64_t> text_by_relocations(ElfImage& image, const GoFunctionTable& table,
                                                 const ModuleCheck& check) {
  const auto dynamic = read_dynamic(image);
  if (!dynamic || !dynamic->relocations) return std::nullopt;
  constexpr std::size_t kMaxCandidates = 4;
  std::vector<std::pair<std::uint64_t, ModuleAddresses>> modules;
  for_each_relocation(image, *dynamic->relocations, [&](auto place, auto value) {
    if (value == table.vaddr && modules.size() < kMaxCandidates)
      modules.push_back({place, ModuleAddresses{}});
  });
  if (modules.empty()) return std::nullopt;
  for_each_relocation(image, *dynamic->relocations, [&](auto place, auto value) {
    for (auto& [start, module] : modules) {
      if (place - start == kModuleMinPc) module.first = value;
      if (place - start == kModuleMaxPc) module.end = value;
      if (place - start == kModuleText) module.text = value;
    }
  });
  for (const auto& [start, module] : modules)
    if (check.accepts(module)) return module.text;
  return std::nullopt;
}

}  // namespace

ElfResult<GoFunctionTable> find_go_function_table(ElfImage& image) {
  auto table = locate(image);
  if (!table || !table->offsets_from_text) return table;
  const auto check = ModuleCheck::of(image, *table);
  if (!check) return std::unexpected(check.error());
  // The header's own word for it may wait for a relocation, and is no longer written by Go 1.26.
  if (const auto text = text_by_module(image, *table, *check))
    table->text_vaddr = *text;
  else if (const auto relocated = text_by_relocations(image, *table, *check))
    table->text_vaddr = *relocated;
  else if (table->text_vaddr == 0 || !image.code_offset(table->text_vaddr, 1))
    return std::unexpected(ElfError::kMalformed);
  return table;
}

}  // namespace exa
