// Is this image a Go program, and of which release? Read from the build information that the Go
// linker puts into every binary, stripped or not.
#pragma once

#include <string>

#include "agent/discovery/elf/elf_image.h"

namespace exa {

struct GoBuild {
  std::string version;  // "go1.22.3"; empty if the file does not say it in reach
  unsigned minor = 0;   // 22; 0 if not known
};

// Arguments travel in registers since Go 1.17 on x86-64 and 1.18 on arm64.
[[nodiscard]] bool passes_arguments_in_registers(const GoBuild& build, Machine machine);

// kAbsent if the image is not a Go program.
[[nodiscard]] ElfResult<GoBuild> read_go_build(ElfImage& image);

}  // namespace exa
