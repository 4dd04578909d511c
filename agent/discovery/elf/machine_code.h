// What discovery asks of machine code: where a Go function returns, and whether bytes look like
// the beginning of one. A probe at a wrong byte would damage the observed program, so code that is
// not understood to its last byte gives no answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "agent/discovery/elf/elf_image.h"

namespace exa {

inline constexpr std::size_t kMaxFunctionBytes = 256 * 1024;
inline constexpr std::size_t kMaxReturns = 256;

// Offsets of the return instructions from the function's first byte, ascending.
[[nodiscard]] ElfResult<std::vector<std::uint32_t>> find_returns(Machine machine,
                                                                 std::span<const std::byte> code);

// True if a Go function that needs stack begins here: it compares the stack pointer with the
// goroutine's limit first.
[[nodiscard]] bool begins_with_stack_check(Machine machine, std::span<const std::byte> code);

}  // namespace exa
