// The system calls of the pipeline, default-deny. What is not listed fails with EPERM: a library
// that probes for a call it can do without then takes its other way, and no reply of a backend can
// end the agent by steering it there. Calls that only an intruder has a use for (a new program,
// another process' memory, mounts, modules, key rings) kill the process at once. No mapping may
// become executable.
#pragma once

#include "exa/base/result.h"

namespace exa {

// For this thread and those it makes; needs no privilege, sets no_new_privs.
Result<> filter_pipeline_syscalls();

}  // namespace exa
