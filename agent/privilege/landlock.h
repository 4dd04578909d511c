// Landlock: the files a process may open and the TCP ports it may use, by rules that it lays on
// itself. Kernels 5.13 and newer, where it is in their list of security modules; not needed to run.
#pragma once

#include "agent/privilege/pipeline_reach.h"
#include "exa/base/result.h"

namespace exa {

// The version of the kernel's rules; an error says why there are none.
Result<int> landlock_version();

// From now on this thread and those it makes read what reach names, and what resolves names and
// checks certificates; they write nothing, bind and connect to the ports of reach (version 4), and
// neither signal others nor meet them at abstract sockets (version 6). Needs no_new_privs.
Result<> restrict_by_landlock(int version, const PipelineReach& reach);

}  // namespace exa
