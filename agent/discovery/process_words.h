// What a process says of itself, in its own memory: two variables of its environment and the
// program that it tells its interpreter to run. Whoever looks into that memory waits for its lock,
// which the process can hold as long as it pleases, so readers read it (/proc/PID/environ and
// cmdline) and pass on what is given here.
// Pure. What a reader says is decoded as foreign.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/discovery/proc_parsers.h"
#include "agent/discovery/program_name.h"

namespace exa {

struct ProcessWords {
  OtelEnvironment environment;
  ProgramName program;
  bool operator==(const ProcessWords&) const = default;
};

inline constexpr std::size_t kMaxWordBytes = 32u << 10;  // each; a longer one is left out
inline constexpr std::size_t kMaxWordsMessageBytes = 5 * (4 + kMaxWordBytes);

std::vector<std::byte> encode_words(const ProcessWords& words);
std::optional<ProcessWords> decode_words(std::span<const std::byte> bytes);

// The reader's part: reads both descriptors to their end or their bound.
ProcessWords read_words(int environ_fd, int cmdline_fd, const std::string& executable);

// Who reads for the prober; nothing where the process holds its reader up. executable: its name.
using WordsReader = std::function<std::optional<ProcessWords>(int process_fd, std::uint32_t owner,
                                                              const std::string& executable)>;

}  // namespace exa
