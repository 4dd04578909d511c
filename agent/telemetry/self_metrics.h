// The agent's account of itself as metric points: every row of the counter tables, and a few
// gauges. Window thread; pure: values come in, points go out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "agent/telemetry/counters.h"
#include "agent/telemetry/source_state.h"
#include "agent/telemetry/tls_state.h"
#include "exa/abi/counters.h"
#include "exa/base/time.h"
#include "exa/export/export_counters.h"
#include "exa/model/metric.h"

namespace exa {

// The source of pods, where one is asked.
struct PodGauges {
  std::uint64_t pods = 0;
  SourceState source = SourceState::kStarting;
  double answer_age_s = 0;  // since the last good answer, or since the first question
};

struct SelfGauges {
  std::uint64_t live_series = 0;
  std::uint64_t targets = 0;
  std::uint64_t held_exchanges = 0;
  std::uint64_t connections = 0;
  std::uint64_t connections_limit = 0;
  std::uint64_t spans_queued = 0;  // not yet decided
  std::uint64_t resident_bytes = 0;
  double cpu_seconds_total = 0;  // since start
  double window_s = 0;
  std::uint64_t exemplar_budget = 0;  // spans a window
  std::optional<PodGauges> kubernetes = {};
  std::optional<TlsState> tls = {};  // nothing in a replay
};

// One metric a group of rows, the rows told apart by the attribute reason. `kernel` is indexed by
// exa_kernel_counter and may be empty where no program runs (replay).
ResourceMetrics self_metrics(std::shared_ptr<const Resource> agent, const Counters& counters,
                             const ExportCounters& export_counters,
                             std::span<const std::uint64_t> kernel, const SelfGauges& gauges,
                             WallTime start, WallTime now);

}  // namespace exa
