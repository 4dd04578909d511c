// Every counter of the pipeline in one table: one row, from which the enum, the storage, the metric
// and its description come. Those that each protocol has of its own are rows of
// protocol_counters.h; kernel counters are rows of exa/abi/counters.h, the exporters' of
// exa/export/export_counters.h.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "agent/telemetry/counter_values.h"
#include "agent/telemetry/protocol_counters.h"

// X(enumerator, kind, metric, reason, sentence): kind is a CounterKind; the metric is
// exemplar_agent_<metric>_total{reason="..."}.
// clang-format off
#define EXA_COUNTERS(X)                                                                            \
  X(kRecordsConsumed, kFlow, records_consumed, "", "ring records read")                            \
  X(kRecordsMalformed, kLoss, records_dropped, malformed, "ring records that failed to decode")    \
  X(kChunksConsumed, kFlow, chunks_consumed, "", "chunk records decoded")                          \
  X(kChunksBelonging, kFlow, chunks, exchange, "chunks that belong to an exchange")                \
  X(kChunksNotProtocol, kFlow, chunks, not_a_protocol, "chunks on connections with no known protocol") \
  X(kChunksParseError, kFlow, chunks, parse_error, "chunks with an invalid message head")          \
  X(kChunksOrphan, kFlow, chunks, orphan, "chunks with no message to belong to")                   \
  X(kConnectionsOpened, kFlow, connections, opened, "connections tracked")                         \
  X(kConnectionsClosed, kFlow, connections, closed, "connections closed")                          \
  X(kConnectionsEvicted, kFlow, connections, evicted, "connections evicted: idle too long")        \
  X(kConnectionsOverShare, kLoss, connections, over_share, "connections evicted: table full, their process held most") \
  X(kHeadTooLong, kDegraded, heads_cut, budget, "heads longer than the capture budget")            \
  X(kHeadBlocksExhausted, kLoss, heads_cut, memory, "incomplete heads dropped: no free block")     \
  X(kHeadBlocksOverShare, kLoss, heads_cut, memory_share, "incomplete heads dropped: process over its share") \
  X(kHeadTablesExhausted, kDegraded, head_tables, exhausted, "connections whose compressed heads are read without their table: no free place") \
  X(kHeadsPartlyUnknown, kDegraded, head_tables, unseen, "compressed heads that refer to entries that were not seen") \
  X(kHeadTablesTaken, kFlow, head_tables, taken_over, "tables taken over from the previous agent") \
  X(kHeadTablesLearned, kFlow, head_tables, learned, "tables read from Go programs for connections older than the agent") \
  X(kContextCut, kDegraded, heads_cut, context, "trace contexts cut off by the capture limit: unknown") \
  X(kContextInvalid, kFlow, contexts, invalid, "invalid trace contexts")                           \
  X(kContextAccepted, kFlow, contexts, accepted, "valid trace contexts")                           \
  X(kExchanges, kFlow, exchanges, "", "finished exchanges")                                        \
  X(kExchangesUnknownEnd, kDegraded, exchanges_unknown_end, "", "exchanges that may be incomplete: it cannot be known") \
  X(kExchangesExcluded, kFlow, exchanges_filtered, target_excluded, "exchanges of excluded targets") \
  X(kExchangesIgnored, kFlow, exchanges_filtered, route, "exchanges of routes that are ignored")   \
  X(kExchangesPort, kFlow, exchanges_filtered, port, "exchanges on excluded or unknown ports")     \
  X(kExchangesUnjudged, kLoss, exchanges_filtered, target_unjudged, "exchanges of processes that no rule was applied to in time") \
  X(kExchangesUnmeasured, kLoss, exchanges_filtered, unmeasured, "exchanges with an unknown start or end") \
  X(kExchangesRecorded, kFlow, exchanges_recorded, "", "exchanges counted in a histogram")         \
  X(kTargetsLate, kDegraded, targets, late, "exchanges recorded before their target or pod was known") \
  X(kTargetsHeld, kFlow, targets, held, "exchanges that waited for their target or pod")           \
  X(kTargetsOverflow, kDegraded, targets, overflow, "processes dropped: target table full")        \
  X(kTargetsShare, kDegraded, targets, origin_share, "processes left out: parent over its share")  \
  X(kHeldOverflow, kDegraded, targets, hold_overflow, "exchanges released early: too many waiting for targets") \
  X(kHeldOverShare, kDegraded, targets, hold_share, "exchanges released early: process over its share") \
  X(kPodTargetsNamed, kFlow, pod_targets, named, "processes named by their pod")                   \
  X(kPodTargetsWaited, kFlow, pod_targets, waited, "processes that waited for their pod")          \
  X(kPodTargetsUnnamed, kDegraded, pod_targets, unnamed, "processes released before their pod was known") \
  X(kPodTargetsLate, kDegraded, pod_targets, late, "processes named after their release")          \
  X(kPodTargetsOverflow, kDegraded, pod_targets, overflow, "processes given up on: too many waiting for pods") \
  X(kPodsOverflow, kDegraded, kubernetes_pods_dropped, overflow, "pods dropped: table full")       \
  X(kPodsLeftOut, kDegraded, kubernetes_pods_dropped, left_out, "pods over a page's limit, or without a name") \
  X(kApiLists, kFlow, kubernetes_requests, list, "pod lists started")                              \
  X(kApiWatches, kFlow, kubernetes_requests, watch, "pod watches started")                         \
  X(kApiEvents, kFlow, kubernetes_events, "", "pod changes reported by the watch")                 \
  X(kApiUnreachable, kDegraded, kubernetes_failures, unreachable, "no answer, or an interrupted one") \
  X(kApiUnauthorized, kDegraded, kubernetes_failures, unauthorized, "the token was rejected (401)") \
  X(kApiForbidden, kDegraded, kubernetes_failures, forbidden, "the service account lacks a permission (403)") \
  X(kApiExpired, kFlow, kubernetes_failures, expired, "watch too old: pods are listed again (410)") \
  X(kApiRefused, kDegraded, kubernetes_failures, status, "other unsuccessful answers")             \
  X(kApiMalformed, kDegraded, kubernetes_failures, malformed, "answers that are not pods")         \
  X(kApiTooLarge, kDegraded, kubernetes_failures, too_large, "answers over 8 MiB")                 \
  X(kSeriesOverflow, kDegraded, series, overflow, "exchanges counted in the overflow series")      \
  X(kSeriesExpired, kFlow, series, expired, "idle series dropped")                                 \
  X(kOverflowMetricFull, kDegraded, series_overflow, metric_full, "measurements of new series: metric full") \
  X(kOverflowServiceShare, kDegraded, series_overflow, service_share, "measurements of new series: service over its share") \
  X(kOverflowProgramShare, kDegraded, series_overflow, program_share, "measurements of new series: program over its share") \
  X(kOverflowNames, kDegraded, series_overflow, names, "measurements of new series: no room for the name of a server or an operation") \
  X(kOverflowNoProgram, kDegraded, series_overflow, origin_share, "measurements of new series: too many programs of one parent or cgroup") \
  X(kExchangesPassing, kFlow, exchanges_passing, "", "exchanges of young processes, counted per program") \
  X(kFineOverflow, kDegraded, table_left_out, series, "exchanges in series over the limit for quantiles") \
  X(kRetiredServer, kFlow, exchanges_retired, server, "exchanges in server series that have been dropped since") \
  X(kRetiredClient, kFlow, exchanges_retired, client, "exchanges in client series that have been dropped since") \
  X(kGraphLeftOut, kDegraded, service_graph, left_out, "requests left out of the graph: connection unknown, or too many") \
  X(kCandidatesOverwritten, kDegraded, exemplar_candidates, overwritten, "candidates overwritten in the recorder") \
  X(kCandidatesOverBudget, kFlow, exemplar_candidates, budget, "candidates over the budget")       \
  X(kBudgetLowered, kDegraded, exemplar_budget_changed, lowered, "windows that closed with a smaller budget than configured") \
  X(kBudgetRaised, kFlow, exemplar_budget_changed, raised, "windows that closed with a larger budget than configured") \
  X(kPressureOfBackend, kDegraded, exemplar_budget_pressure, backend, "windows in which the backend put spans off, or half of the queue was used") \
  X(kPressureOfAgent, kDegraded, exemplar_budget_pressure, agent, "windows in which reading events took most of a core") \
  X(kExemplarsChosen, kFlow, exemplars, chosen, "exemplars chosen")                                \
  X(kExemplarsWithIds, kFlow, exemplars, with_ids, "exemplars whose span was acknowledged")        \
  X(kExemplarsWithoutIds, kFlow, exemplars, without_ids, "exemplars whose span was not acknowledged") \
  X(kDeliveriesOverwritten, kDegraded, deliveries, overwritten, "answers no longer followed after their last byte: place taken by another") \
  X(kRelativesOverBudget, kFlow, relatives, budget, "spans of chosen traces over the budget")      \
  X(kFloorOverflow, kLoss, floor_spans, overflow, "floor spans dropped: queue full")               \
  X(kSpansChosen, kFlow, spans_chosen, "", "spans synthesised for export")                         \
  X(kWindowsLate, kDegraded, windows, late, "windows merged into the next: publication was behind") \
  X(kForeignHeldUp, kDegraded, foreign_unread, held_up, "files and processes whose readers were held up") \
  X(kForeignUnread, kDegraded, foreign_unread, no_reader, "files for which no reader was available") \
  X(kForeignRefused, kDegraded, foreign_unread, file_system, "files on file systems whose reads may stall") \
  X(kForeignOverBudget, kDegraded, foreign_unread, budget, "files left out: process over its time limit") \
  X(kProbesOverShare, kDegraded, files_unprobed, share, "files left out: process or user over its share") \
  X(kProbesOverLimit, kDegraded, files_unprobed, limit, "files left out: no room for more probes") \
  X(kCallsSkipped, kLoss, kernel_skipped, preempted, "socket calls possibly missed: a thread was preempted") \
  X(kRequestSizeUnknown, kDegraded, request_body_size, unknown, "requests whose body size is unknown") \
  X(kRequestSizeRetired, kFlow, request_body_size, retired, "sizes in series dropped since")       \
  X(kResponseSizeUnknown, kDegraded, response_body_size, unknown, "requests whose response body size is unknown") \
  X(kResponseSizeRetired, kFlow, response_body_size, retired, "sizes in series dropped since")     \
  X(kQueueTimeUnknown, kDegraded, queue_time, unknown, "requests whose arrival in the socket is unknown") \
  X(kQueueTimeRetired, kFlow, queue_time, retired, "queue times in series dropped since")
// clang-format on

namespace exa {

enum class Counter : std::size_t {
#define EXA_X(name, kind, metric, reason, sentence) name,
  EXA_COUNTERS(EXA_X)
#undef EXA_X
      kCount
};

class Counters : public CounterValues<Counter> {
 public:
  using CounterValues<Counter>::get;

  // Those of a protocol, made when it is first named: as the connections' tracker is made, before
  // any other thread reads. As many as the registry has protocols.
  ProtocolCounters& of_protocol(std::string_view name) {
    const auto known = std::ranges::find_if(
        protocols_, [name](const auto& counters) { return counters->protocol() == name; });
    if (known != protocols_.end()) return **known;
    return *protocols_.emplace_back(std::make_unique<ProtocolCounters>(name));
  }
  [[nodiscard]] std::span<const std::unique_ptr<ProtocolCounters>> protocols() const {
    return protocols_;
  }
  // Of all protocols.
  [[nodiscard]] std::uint64_t get(ProtocolCounter counter) const {
    std::uint64_t sum = 0;
    for (const auto& counters : protocols_)
      sum += counters->get(counter);
    return sum;
  }

 private:
  std::vector<std::unique_ptr<ProtocolCounters>> protocols_;
};

}  // namespace exa
