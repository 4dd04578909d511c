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
  X(kRecordsMalformed, kLoss, records_dropped, malformed, "ring records that did not decode")      \
  X(kChunksConsumed, kFlow, chunks_consumed, "", "chunk records decoded")                          \
  X(kChunksBelonging, kFlow, chunks, exchange, "chunks that belong to an exchange")                \
  X(kChunksNotProtocol, kFlow, chunks, not_a_protocol, "chunks of connections that speak nothing known") \
  X(kChunksParseError, kFlow, chunks, parse_error, "chunks with an invalid message head")          \
  X(kChunksOrphan, kFlow, chunks, orphan, "chunks with no message to belong to")                   \
  X(kConnectionsOpened, kFlow, connections, opened, "connections tracked")                         \
  X(kConnectionsClosed, kFlow, connections, closed, "connections that ended")                      \
  X(kConnectionsEvicted, kFlow, connections, evicted, "connections forgotten: idle for long")      \
  X(kConnectionsOverShare, kLoss, connections, over_share, "forgotten: table full, their process held most") \
  X(kHeadTooLong, kDegraded, heads_cut, budget, "heads longer than the capture budget")            \
  X(kHeadBlocksExhausted, kLoss, heads_cut, memory, "incomplete heads dropped: no block was free") \
  X(kHeadBlocksOverShare, kLoss, heads_cut, memory_share, "incomplete heads dropped: share of a process") \
  X(kContextCut, kDegraded, heads_cut, context, "trace contexts cut by the capture limit: unknown") \
  X(kContextInvalid, kFlow, contexts, invalid, "traceparent headers that are not valid")           \
  X(kContextAccepted, kFlow, contexts, accepted, "valid traceparent headers")                      \
  X(kExchanges, kFlow, exchanges, "", "finished exchanges")                                        \
  X(kExchangesUnknownEnd, kDegraded, exchanges_unknown_end, "", "exchanges that may have been cut: nobody can tell") \
  X(kExchangesExcluded, kFlow, exchanges_filtered, target_excluded, "exchanges of excluded targets") \
  X(kExchangesPort, kFlow, exchanges_filtered, port, "exchanges of excluded ports, or of unknown ones") \
  X(kExchangesUnjudged, kLoss, exchanges_filtered, target_unjudged, "exchanges of whom no rule was decided") \
  X(kExchangesUnmeasured, kLoss, exchanges_filtered, unmeasured, "exchanges of unknown begin or end") \
  X(kExchangesRecorded, kFlow, exchanges_recorded, "", "exchanges counted in a histogram")         \
  X(kTargetsLate, kDegraded, targets, late, "exchanges recorded before their target or pod was known") \
  X(kTargetsHeld, kFlow, targets, held, "exchanges that waited for their target or pod")           \
  X(kTargetsOverflow, kDegraded, targets, overflow, "processes that found no place in the target table") \
  X(kTargetsShare, kDegraded, targets, origin_share, "processes left out: their parent has its share") \
  X(kHeldOverflow, kDegraded, targets, hold_overflow, "exchanges let go early: too many wait for targets") \
  X(kHeldOverShare, kDegraded, targets, hold_share, "exchanges let go early: their process has its share") \
  X(kPodTargetsNamed, kFlow, pod_targets, named, "processes named by their pod")                   \
  X(kPodTargetsWaited, kFlow, pod_targets, waited, "processes that waited for their pod")          \
  X(kPodTargetsUnnamed, kDegraded, pod_targets, unnamed, "processes let go before their pod was known") \
  X(kPodTargetsLate, kDegraded, pod_targets, late, "processes named after they were let go")       \
  X(kPodTargetsOverflow, kDegraded, pod_targets, overflow, "processes given up: too many wait for pods") \
  X(kPodsOverflow, kDegraded, kubernetes_pods_dropped, overflow, "pods that found no place")       \
  X(kPodsLeftOut, kDegraded, kubernetes_pods_dropped, left_out, "pods over a page's bound, or nameless") \
  X(kApiLists, kFlow, kubernetes_requests, list, "lists of pods begun")                            \
  X(kApiWatches, kFlow, kubernetes_requests, watch, "watches of pods begun")                       \
  X(kApiEvents, kFlow, kubernetes_events, "", "changes of pods told by the watch")                 \
  X(kApiUnreachable, kDegraded, kubernetes_failures, unreachable, "no answer, or it broke off")    \
  X(kApiUnauthorized, kDegraded, kubernetes_failures, unauthorized, "the token was not accepted (401)") \
  X(kApiForbidden, kDegraded, kubernetes_failures, forbidden, "the service account lacks a right (403)") \
  X(kApiExpired, kFlow, kubernetes_failures, expired, "watch too old: pods are listed anew (410)") \
  X(kApiRefused, kDegraded, kubernetes_failures, status, "other answers that are no success")      \
  X(kApiMalformed, kDegraded, kubernetes_failures, malformed, "answers that are no pods")          \
  X(kApiTooLarge, kDegraded, kubernetes_failures, too_large, "answers over 8 MiB")                 \
  X(kSeriesOverflow, kDegraded, series, overflow, "exchanges counted in the overflow series")      \
  X(kSeriesExpired, kFlow, series, expired, "idle series dropped")                                 \
  X(kOverflowMetricFull, kDegraded, series_overflow, metric_full, "measurements of new series: metric full") \
  X(kOverflowServiceShare, kDegraded, series_overflow, service_share, "their service has its share") \
  X(kOverflowProgramShare, kDegraded, series_overflow, program_share, "their program has its share") \
  X(kOverflowNames, kDegraded, series_overflow, names, "no place for the name of their server")    \
  X(kOverflowNoProgram, kDegraded, series_overflow, origin_share, "too many programs of one parent or cgroup") \
  X(kExchangesPassing, kFlow, exchanges_passing, "", "exchanges of young processes, counted by program") \
  X(kFineOverflow, kDegraded, table_left_out, series, "exchanges of series too many to tell quantiles of") \
  X(kRetiredServer, kFlow, exchanges_retired, server, "exchanges in server series dropped since")  \
  X(kRetiredClient, kFlow, exchanges_retired, client, "exchanges in client series dropped since")  \
  X(kCandidatesOverwritten, kDegraded, exemplar_candidates, overwritten, "candidates lost by the recorder") \
  X(kCandidatesOverBudget, kFlow, exemplar_candidates, budget, "candidates left out by the budget") \
  X(kExemplarsChosen, kFlow, exemplars, chosen, "exemplars chosen")                                \
  X(kExemplarsWithIds, kFlow, exemplars, with_ids, "exemplars whose span was acknowledged")        \
  X(kExemplarsWithoutIds, kFlow, exemplars, without_ids, "exemplars whose span was not acknowledged") \
  X(kRelativesOverBudget, kFlow, relatives, budget, "spans of chosen traces left out by the budget") \
  X(kFloorOverflow, kLoss, floor_spans, overflow, "floor spans dropped: queue full")               \
  X(kSpansChosen, kFlow, spans_chosen, "", "spans synthesised for export")                         \
  X(kWindowsLate, kDegraded, windows, late, "windows merged into the next: publication was behind") \
  X(kForeignHeldUp, kDegraded, foreign_unread, held_up, "files and processes whose readers were held up") \
  X(kForeignUnread, kDegraded, foreign_unread, no_reader, "files that no reader could be found for") \
  X(kForeignRefused, kDegraded, foreign_unread, file_system, "files on file systems that wait for others") \
  X(kForeignOverBudget, kDegraded, foreign_unread, budget, "files left out: their process took its time") \
  X(kProbesOverShare, kDegraded, files_unprobed, share, "files left out: their process or user has its share") \
  X(kProbesOverLimit, kDegraded, files_unprobed, limit, "files left out: no place for further probes") \
  X(kCallsSkipped, kLoss, kernel_skipped, preempted, "socket calls that may be unseen: a thread was preempted") \
  X(kRequestSizeUnknown, kDegraded, request_body_size, unknown, "requests whose body nobody could count") \
  X(kRequestSizeRetired, kFlow, request_body_size, retired, "sizes in series dropped since")       \
  X(kResponseSizeUnknown, kDegraded, response_body_size, unknown, "requests whose answer's body nobody could count") \
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
