// What the two processes give up: the pipeline before it reads the first captured byte, the prober
// once it is set up. Called in a process with one thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "agent/privilege/pipeline_reach.h"
#include "exa/base/result.h"
#include "exa/base/unique_fd.h"

namespace exa {

struct ConfinementReport {
  // What the system did not permit and the process therefore goes without: whole sentences.
  std::vector<std::string> lacking;
  UniqueFd memory_use;  // its own /proc/self/statm: no other file of /proc can be opened any more
};

// A file that the pipeline opens itself, again whenever it changes: fails with a sentence where it
// could not. Tried by a short-lived child that has become what the pipeline becomes.
Result<> check_readable_when_confined(const std::string& path, std::uint32_t uid);

// Closes every descriptor but 0, 1, 2 and those kept.
Result<> close_other_descriptors(std::span<const int> kept);

// User, group and Landlock where the system has and permits it; no capability, no new privilege,
// not dumpable, no core file, the filter of system calls, death with the parent: each of these or
// an error.
Result<ConfinementReport> confine_pipeline(int parent_pid, const PipelineReach& reach,
                                           std::span<const int> kept);

// Of the prober, which keeps its capabilities: no new privilege, and none of the system calls that
// only an intruder has a use for. Once it has its capabilities and everything that it opens, forks
// or executes on its own account.
Result<> confine_prober();

}  // namespace exa
