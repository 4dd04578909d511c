// Probes of Go's crypto/tls: the first byte of Conn.Write, the first byte and every return
// instruction of Conn.Read; and of its HPACK, of which Go has two copies.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/discovery/elf/elf_image.h"
#include "agent/discovery/tls/attach_plan.h"

namespace exa {

struct GoFinding {
  std::string version;                // empty if unknown or no Go program
  std::optional<TlsVerdict> verdict;  // why a Go program has no sites; nothing for other programs
};

// Adds to sites, or says why not. Sites of one program are added together or not at all.
[[nodiscard]] GoFinding find_go_sites(ElfImage& image, std::vector<ProbeSite>& sites);

}  // namespace exa
