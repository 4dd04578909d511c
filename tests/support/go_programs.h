// Builds the Go sample of tests/corpus/elf/go_tls for tests that look into Go programs.
#pragma once

#include <optional>
#include <string>

#include "tests/support/elf_samples.h"

namespace exa::test {

// The Go sample built with the given environment and arguments; nothing without a Go toolchain
// that can do it.
inline std::optional<std::string> build_go(const TemporaryFolder& folder, const std::string& name,
                                           const std::string& environment,
                                           const std::string& arguments) {
  const std::string target = folder.file(name);
  const std::string command = "cd " EXA_CORPUS_DIR "/elf/go_tls && env " + environment +
                              " GOFLAGS=-p=1 nice go build " + arguments + " -o " + target + " .";
  return output_of(command) ? std::optional(target) : std::nullopt;
}

}  // namespace exa::test
