// What this process and its threads use of the machine.
#pragma once

#include "agent/telemetry/gauges.h"
#include "exa/base/time.h"

namespace exa {

// Window thread. statm: the process' own /proc/self/statm, opened while it could be; -1: memory is
// told as 0.
void fill_process_usage(SelfGauges& gauges, int statm);
// CPU time of the calling thread.
[[nodiscard]] Duration thread_cpu_time();

}  // namespace exa
