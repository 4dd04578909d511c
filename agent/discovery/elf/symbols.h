// Functions of an image by name.
//
// Two sequential passes whatever the size: the string table for the offsets of the wanted names,
// then the symbol table for symbols at those offsets. Memory is two windows of 64 KiB.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "agent/discovery/elf/elf_image.h"

namespace exa {

struct FunctionSymbol {
  std::uint32_t wanted;  // index into the wanted names
  std::uint64_t vaddr;
  std::uint64_t size_bytes;   // 0 if the table does not say
  std::uint64_t file_offset;  // of its first instruction
  auto operator<=>(const FunctionSymbol&) const = default;
};

// Defined functions with executable bytes in the file, sorted, without duplicates. A name with
// several versions gives one entry an address. kAbsent if the image has no such table.
[[nodiscard]] ElfResult<std::vector<FunctionSymbol>> find_exported(
    ElfImage& image, std::span<const std::string_view> wanted);
// The same from .symtab, which also knows what is not exported.
[[nodiscard]] ElfResult<std::vector<FunctionSymbol>> find_local(
    ElfImage& image, std::span<const std::string_view> wanted);

}  // namespace exa
