// Where a read function of a C library gives its result back, so that a breakpoint there sees it.
//
// The kernel's own return probe puts another address where the function's return address lay. A
// program that leaves the function otherwise is broken by that: coroutines that switch stacks
// within it are killed, exceptions and pthread_cancel do not get past it. A breakpoint on the
// instructions that return changes nothing that a program can see.
#pragma once

#include <cstdint>
#include <vector>

#include "agent/discovery/elf/elf_image.h"
#include "agent/discovery/elf/symbols.h"

namespace exa {

// File offsets of all return instructions of the function, and of the functions that it ends in by
// a jump: those return to its caller. Where some are not to be found there is no answer.
[[nodiscard]] ElfResult<std::vector<std::uint64_t>> find_return_places(ElfImage& image,
                                                                       const FunctionSymbol& of);

// File offsets behind every call of a function that only its own image calls.
[[nodiscard]] ElfResult<std::vector<std::uint64_t>> find_call_returns(ElfImage& image,
                                                                      std::uint64_t callee_vaddr);

}  // namespace exa
