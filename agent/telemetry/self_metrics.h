// The agent's account of itself as metric points: every row of the tables of counters and of
// gauges. Window thread; pure: values come in, points go out.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "agent/telemetry/counters.h"
#include "agent/telemetry/gauges.h"
#include "exa/abi/counters.h"
#include "exa/base/time.h"
#include "exa/export/export_counters.h"
#include "exa/model/metric.h"

namespace exa {

// One metric a group of rows, the rows told apart by the attribute reason, and of some
// by protocol. `kernel` is indexed by
// exa_kernel_counter and may be empty where no program runs (replay).
ResourceMetrics self_metrics(std::shared_ptr<const Resource> agent, const Counters& counters,
                             const ExportCounters& export_counters,
                             std::span<const std::uint64_t> kernel, const SelfGauges& gauges,
                             WallTime start, WallTime now);

}  // namespace exa
