// What the agent says of its own state, in one table: one row, from which the member, the metric
// and its description come. Counters are rows of telemetry/counters.h.
//
// The type says the shape: a number, a state of several (the one that holds is 1, the others 0), or
// a total. What is optional is left out where it is not known.
#pragma once

#include <cstdint>
#include <optional>

#include "agent/telemetry/policy_totals.h"
#include "agent/telemetry/source_state.h"
#include "agent/telemetry/tls_state.h"

// X(type, member, metric, unit, sentence): the metric is exemplar_agent_<metric>.
// clang-format off
#define EXA_GAUGES(X)                                                                              \
  X(std::uint64_t, live_series, live_series, "", "Series that hold counts.")                       \
  X(std::uint64_t, targets, targets_known, "", "Processes in the target table.")                   \
  X(std::uint64_t, held_exchanges, exchanges_held, "", "Exchanges waiting for their target.")      \
  X(std::uint64_t, connections, connections_tracked, "", "Connections being tracked.")             \
  X(std::uint64_t, connections_limit, connections_limit, "", "Connections that can be tracked at once.") \
  X(std::uint64_t, exemplar_budget, exemplar_budget, "", "Exemplar spans allowed in the window.")     \
  X(PolicyTotals, policy_totals, exemplar_policy_values, "", "Values that the policies of exemplars admitted or refused, by the rule that the request met.") \
  X(double, window_s, window, "s", "Length of a window.")                                          \
  X(std::uint64_t, spans_queued, spans_waiting, "", "Spans whose delivery is still undecided.")    \
  X(std::optional<std::uint64_t>, exemplars_stored, exemplars_stored, "", "Exemplars that the endpoint keeps for scrapers.") \
  X(std::optional<std::uint64_t>, exemplars_capacity, exemplars_capacity, "", "Exemplars that the endpoint can keep.") \
  X(std::optional<double>, oldest_exemplar_s, exemplars_oldest, "s", "Age of the oldest exemplar kept.") \
  X(std::uint64_t, resident_bytes, resident_memory, "By", "Resident memory of the pipeline.")      \
  X(std::optional<TlsState>, tls, tls, "", "Whether TLS is read; any state other than reading and off is the reason why not.") \
  X(std::optional<std::uint64_t>, pods, kubernetes_pods, "", "Known pods on this node.")           \
  X(std::optional<SourceState>, pods_source, kubernetes_source, "", "State of the pod source; following is healthy.") \
  X(std::optional<double>, pods_answer_age_s, kubernetes_answer_age, "s", "Time since the pod source last answered successfully.") \
  X(RunningTotal, cpu_seconds, cpu_time, "s", "CPU time used by the pipeline.")
// clang-format on

namespace exa {

// Since start.
struct RunningTotal {
  double value = 0;
};

struct SelfGauges {
#define EXA_X(type, member, metric, unit, sentence) type member{};
  EXA_GAUGES(EXA_X)
#undef EXA_X
};

}  // namespace exa
