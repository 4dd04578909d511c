// Where in a function a breakpoint costs least.
//
// The kernel carries out a few instructions itself (push, jumps, calls); any other displaced one is
// run by the processor with the trap flag set, and that second trap leaves a virtual machine: a
// probe on `push` costs a tenth of one on `sub`. So a probe goes past instructions that change
// nothing it looks at, if one of the cheap kind follows, and to the function that all variants of a
// library function call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>

#include "agent/discovery/elf/elf_image.h"

namespace exa {

// So many bytes of a function are enough for both questions.
inline constexpr std::size_t kPrologueBytes = 96;

// Offset of the cheapest place for a probe that wants arguments, result and stack as they are at
// the first byte: 0 unless a later one is better. Comparisons change flags only.
[[nodiscard]] std::uint32_t cheapest_offset(Machine machine, std::span<const std::byte> code);

// Offset of the first instruction behind the stack check that a Go function begins with: a function
// whose stack has to grow begins anew, and would be seen twice before it. 0 if there is no such.
[[nodiscard]] std::uint32_t behind_stack_check(Machine machine, std::span<const std::byte> code);

// Arguments of the C calling convention, in order.
enum class Argument : std::uint8_t { kFirst, kSecond, kThird, kFourth };

// Distance from the function's first byte to the function that it calls first, if the arguments
// named get there as they came. Nothing if the code up to there is not plain.
[[nodiscard]] std::optional<std::int64_t> first_callee(Machine machine,
                                                       std::span<const std::byte> code,
                                                       std::initializer_list<Argument> untouched);

}  // namespace exa
