// What this process uses of the machine. Window thread.
#pragma once

#include "agent/telemetry/gauges.h"

namespace exa {

// statm: the process' own /proc/self/statm, opened while it could be; -1: memory is told as 0.
void fill_process_usage(SelfGauges& gauges, int statm);

}  // namespace exa
