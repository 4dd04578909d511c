// Where the function around an address begins and ends, as the table for stack unwinding tells:
// programs and libraries keep it when their symbols are stripped, as exceptions need it.
//
// Format: .eh_frame and .eh_frame_hdr of the Linux Standard Base (core, 10.6), found by the segment
// PT_GNU_EH_FRAME. Only the forms that linkers write: a sorted table of 4-byte entries.
#pragma once

#include <cstdint>
#include <optional>

#include "agent/discovery/elf/elf_image.h"

namespace exa {

struct CodeRange {
  std::uint64_t vaddr = 0;
  std::uint64_t size_bytes = 0;
  [[nodiscard]] bool contains(std::uint64_t address) const {
    return address >= vaddr && address - vaddr < size_bytes;
  }
};

// Nothing if the image has no such table, or the table nothing for this address. A compiler may
// give the parts of one function a range each.
[[nodiscard]] std::optional<CodeRange> function_around(ElfImage& image, std::uint64_t vaddr);

}  // namespace exa
