// A last look at a program in which no TLS function was found by name: does its constant text
// betray a library that was linked in and stripped? Only for the sentence in the status table.
#pragma once

#include "agent/discovery/elf/elf_image.h"
#include "agent/discovery/tls/attach_plan.h"

namespace exa {

// Reads at most kMaxTraceBytes of constant data. kNoLibrary if nothing is found in reach.
[[nodiscard]] TlsVerdict find_library_trace(ElfImage& image);

inline constexpr std::uint64_t kMaxTraceBytes = std::uint64_t{64} << 20;

}  // namespace exa
