// What the pipeline gives up before it reads the first captured byte. Called in a process with one
// thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "exa/base/result.h"

namespace exa {

inline constexpr unsigned kPipelineUserId = 65534;

struct ConfinementReport {
  // What the system did not permit and the process therefore goes without: whole sentences.
  std::vector<std::string> lacking;
};

// A file that the pipeline opens itself, again whenever it changes: fails with a sentence where it
// could not. Tried by a short-lived child that has become what the pipeline becomes.
Result<> check_readable_when_confined(const std::string& path);

// Closes every descriptor but 0, 1, 2 and those kept.
Result<> close_other_descriptors(std::span<const int> kept);

// User and group 65534 where permitted; no capability, no new privilege, not dumpable, no core
// file, the filter of system calls, death with the parent: each of these or an error.
Result<ConfinementReport> confine_pipeline(int parent_pid, std::span<const int> kept);

}  // namespace exa
