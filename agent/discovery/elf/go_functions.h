// Functions of a Go program by name, from the table that its runtime uses for stack traces
// (pclntab): it is there in stripped programs too. Forms of Go 1.16, 1.18 and 1.20 and later.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "agent/discovery/elf/symbols.h"

namespace exa {

// Sorted; a size is always known. kAbsent if no function table of a known form is found,
// kMalformed if it contradicts the program around it.
[[nodiscard]] ElfResult<std::vector<FunctionSymbol>> find_go_functions(
    ElfImage& image, std::span<const std::string_view> wanted);

}  // namespace exa
