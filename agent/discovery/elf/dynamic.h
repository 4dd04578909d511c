// The dynamic segment: what the loader of the process believed. It stands in for section headers
// where a file has none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/discovery/elf/elf_image.h"

namespace exa {

struct SymbolTable {
  std::uint64_t offset = 0;  // in the file
  std::uint64_t count = 0;
  std::uint64_t strings_offset = 0;
  std::uint64_t strings_bytes = 0;
};

// A part of the file.
struct FileRange {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

struct DynamicSegment {
  std::optional<SymbolTable> symbols;
  std::vector<std::string> needed;  // DT_NEEDED, at most kMaxNeeded of them
  std::string soname;
  std::optional<FileRange> relocations;  // DT_RELA
  bool is_program = false;               // DF_1_PIE: a program that may load anywhere
};

inline constexpr std::size_t kMaxNeeded = 128;

// kAbsent for a static program.
[[nodiscard]] ElfResult<DynamicSegment> read_dynamic(ElfImage& image);

}  // namespace exa
