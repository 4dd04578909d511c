// The system calls of the two processes. For this thread and those it makes; need no privilege, set
// no_new_privs.
#pragma once

#include "exa/base/result.h"

namespace exa {

// Of the pipeline, default-deny. What is not listed fails with EPERM: a library that probes for a
// call it can do without then takes its other way, and no reply of a backend can end the agent by
// steering it there. Calls that only an intruder has a use for kill the process. No mapping may
// become executable.
Result<> filter_pipeline_syscalls();

// Of the prober. It does what libbpf, the C++ library and /proc ask for, so what is not listed is
// allowed: the deadly calls kill it, and it makes no process, no socket and no code, and gives no
// file another owner, mode or name to be reached by. (What it may write it could still replace: it
// holds BPF, and that is more.)
Result<> filter_prober_syscalls();

}  // namespace exa
