// Where the Go function table (pclntab) of an image lies and how it is laid out.
#pragma once

#include <cstdint>

#include "agent/discovery/elf/elf_image.h"

namespace exa {

struct GoFunctionTable {
  bool offsets_from_text;        // Go 1.18 and later: entries are 32-bit offsets from text_vaddr
  std::uint64_t offset;          // of its header, in the file
  std::uint64_t vaddr;           // of its header
  std::uint64_t bytes_in_reach;  // from the header to the end of its segment
  std::uint64_t function_count;
  std::uint64_t names_offset;  // function names, in the file
  std::uint64_t names_bytes;
  std::uint64_t functions_offset;  // index of functions, and the base of their records
  std::uint64_t text_vaddr;        // 0 where entries are addresses

  // Bytes of one entry of the index: two numbers of this width.
  [[nodiscard]] std::uint64_t number_bytes() const { return offsets_from_text ? 4 : 8; }
};

[[nodiscard]] ElfResult<GoFunctionTable> find_go_function_table(ElfImage& image);

}  // namespace exa
