// How control leaves a piece of machine code: by return instructions, by jumps to other code, and
// where calls come back to. Code that is not understood to its last byte gives no answer, as a
// probe at a wrong byte would damage the observed program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "agent/discovery/elf/elf_image.h"

namespace exa {

struct WaysOut {
  std::vector<std::uint32_t> returns;  // offsets of return instructions, ascending
  std::vector<std::int64_t> jumps;     // distances from the first byte to code outside, ascending
};

// kUnknownCode also for a jump to an address that only the running program knows, unless it goes
// through a table as a switch does.
[[nodiscard]] ElfResult<WaysOut> find_ways_out(Machine machine, std::span<const std::byte> code);

// Offsets behind each call of the function at that distance from the first byte. kUnknownCode if
// there is also a jump to it, after which it does not come back here.
[[nodiscard]] ElfResult<std::vector<std::uint32_t>> find_calls(Machine machine,
                                                               std::span<const std::byte> code,
                                                               std::int64_t callee);

}  // namespace exa
