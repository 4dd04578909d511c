// Every counter of the pipeline in one table: one row, from which the enum, the storage, the metric
// and its description come. Kernel counters are rows of exa/abi/counters.h, the exporters' of
// exa/export/export_counters.h.
//
// Each counter has one writing thread, so add() is a plain load and store; any thread may read.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

// X(enumerator, metric, reason, sentence): metric exemplar_agent_<metric>_total{reason="..."}.
// clang-format off
#define EXA_COUNTERS(X)                                                                            \
  X(kRecordsConsumed, records_consumed, "", "ring records read")                                   \
  X(kRecordsMalformed, records_dropped, malformed, "ring records that did not decode")             \
  X(kChunksConsumed, chunks_consumed, "", "chunk records decoded")                                 \
  X(kChunksBelonging, chunks, exchange, "chunks that belong to an exchange")                       \
  X(kChunksNotProtocol, chunks, not_a_protocol, "chunks of connections that speak nothing known")  \
  X(kChunksParseError, chunks, parse_error, "chunks with an invalid message head")                 \
  X(kChunksOrphan, chunks, orphan, "chunks with no message to belong to")                          \
  X(kConnectionsOpened, connections, opened, "connections tracked")                                \
  X(kConnectionsClosed, connections, closed, "connections that ended")                             \
  X(kConnectionsEvicted, connections, evicted, "connections forgotten: idle for long")             \
  X(kConnectionsOverShare, connections, over_share, "forgotten: table full, their process held most") \
  X(kParseErrorRequest, parse_errors, request_head, "request heads that are not valid")            \
  X(kParseErrorResponse, parse_errors, response_head, "response heads that are not valid")         \
  X(kParseErrorFraming, parse_errors, framing, "bodies whose framing is contradictory")            \
  X(kOrphanResponse, orphans, response, "responses whose request was not seen")                    \
  X(kOrphanRequest, orphans, request, "requests whose response was not seen")                      \
  X(kOrphanGap, orphans, gap, "messages lost in bytes that were not captured")                     \
  X(kRequestsUnansweredOverflow, orphans, pipeline_overflow, "pipelined requests over the bound")  \
  X(kRequestsOverShare, orphans, request_share, "requests left out: their process has its share")  \
  X(kHeadTooLong, heads_cut, budget, "heads longer than the capture budget")                       \
  X(kHeadBlocksExhausted, heads_cut, memory, "incomplete heads dropped: no block was free")         \
  X(kHeadBlocksOverShare, heads_cut, memory_share, "incomplete heads dropped: share of a process") \
  X(kContextCut, heads_cut, context, "trace contexts cut by the capture limit: unknown")           \
  X(kContextInvalid, contexts, invalid, "traceparent headers that are not valid")                  \
  X(kContextAccepted, contexts, accepted, "valid traceparent headers")                             \
  X(kExchanges, exchanges, "", "finished exchanges")                                               \
  X(kExchangesExcluded, exchanges_filtered, target_excluded, "exchanges of excluded targets")      \
  X(kExchangesUnjudged, exchanges_filtered, target_unjudged, "exchanges of whom no rule was decided") \
  X(kExchangesUnmeasured, exchanges_filtered, unmeasured, "exchanges of unknown begin or end")     \
  X(kExchangesRecorded, exchanges_recorded, "", "exchanges counted in a histogram")                \
  X(kTargetsLate, targets, late, "exchanges recorded before their target or pod was known")        \
  X(kTargetsHeld, targets, held, "exchanges that waited for their target or pod")                  \
  X(kTargetsOverflow, targets, overflow, "processes that found no place in the target table")      \
  X(kTargetsShare, targets, origin_share, "processes left out: their parent has its share")        \
  X(kHeldOverflow, targets, hold_overflow, "exchanges let go early: too many wait for targets")    \
  X(kHeldOverShare, targets, hold_share, "exchanges let go early: their process has its share")    \
  X(kPodTargetsNamed, pod_targets, named, "processes named by their pod")                          \
  X(kPodTargetsWaited, pod_targets, waited, "processes that waited for their pod")                 \
  X(kPodTargetsUnnamed, pod_targets, unnamed, "processes let go before their pod was known")       \
  X(kPodTargetsLate, pod_targets, late, "processes named after they were let go")                  \
  X(kPodTargetsOverflow, pod_targets, overflow, "processes given up: too many wait for pods")      \
  X(kPodsOverflow, kubernetes_pods_dropped, overflow, "pods that found no place")                  \
  X(kPodsLeftOut, kubernetes_pods_dropped, left_out, "pods over a page's bound, or nameless")       \
  X(kApiLists, kubernetes_requests, list, "lists of pods begun")                                   \
  X(kApiWatches, kubernetes_requests, watch, "watches of pods begun")                              \
  X(kApiEvents, kubernetes_events, "", "changes of pods told by the watch")                        \
  X(kApiUnreachable, kubernetes_failures, unreachable, "no answer, or it broke off")               \
  X(kApiUnauthorized, kubernetes_failures, unauthorized, "the token was not accepted (401)")       \
  X(kApiForbidden, kubernetes_failures, forbidden, "the service account lacks a right (403)")      \
  X(kApiExpired, kubernetes_failures, expired, "watch too old: pods are listed anew (410)")        \
  X(kApiRefused, kubernetes_failures, status, "other answers that are no success")                 \
  X(kApiMalformed, kubernetes_failures, malformed, "answers that are no pods")                     \
  X(kApiTooLarge, kubernetes_failures, too_large, "answers over 8 MiB")                            \
  X(kSeriesOverflow, series, overflow, "exchanges counted in the overflow series")                 \
  X(kSeriesExpired, series, expired, "idle series dropped")                                        \
  X(kOverflowMetricFull, series_overflow, metric_full, "measurements of new series: metric full")  \
  X(kOverflowServiceShare, series_overflow, service_share, "their service has its share")          \
  X(kOverflowProgramShare, series_overflow, program_share, "their program has its share")          \
  X(kOverflowNoProgram, series_overflow, origin_share, "too many programs of one parent or cgroup") \
  X(kExchangesPassing, exchanges_passing, "", "exchanges of young processes, counted by program")  \
  X(kRetiredServer, exchanges_retired, server, "exchanges in server series dropped since")         \
  X(kRetiredClient, exchanges_retired, client, "exchanges in client series dropped since")         \
  X(kCandidatesOverwritten, exemplar_candidates, overwritten, "candidates lost by the recorder")   \
  X(kCandidatesOverBudget, exemplar_candidates, budget, "candidates left out by the budget")       \
  X(kExemplarsChosen, exemplars, chosen, "exemplars chosen")                                       \
  X(kExemplarsWithIds, exemplars, with_ids, "exemplars whose span was acknowledged")               \
  X(kExemplarsWithoutIds, exemplars, without_ids, "exemplars whose span was not acknowledged")     \
  X(kRelativesOverBudget, relatives, budget, "spans of chosen traces left out by the budget")      \
  X(kFloorOverflow, floor_spans, overflow, "floor spans dropped: queue full")                      \
  X(kSpansChosen, spans_chosen, "", "spans synthesised for export")                                \
  X(kWindowsLate, windows, late, "windows merged into the next: publication was behind")           \
  X(kForeignHeldUp, foreign_unread, held_up, "files and processes whose readers were held up")     \
  X(kForeignUnread, foreign_unread, no_reader, "files that no reader could be found for")          \
  X(kForeignRefused, foreign_unread, file_system, "files on file systems that wait for others")    \
  X(kForeignOverBudget, foreign_unread, budget, "files left out: their process took its time")     \
  X(kProbesOverShare, files_unprobed, share, "files left out: their process or user has its share") \
  X(kProbesOverLimit, files_unprobed, limit, "files left out: no place for further probes")        \
  X(kCallsSkipped, kernel_skipped, preempted, "socket calls that may be unseen: a thread was preempted") \
  X(kQueueTimeUnknown, queue_time, unknown, "requests whose arrival in the socket is unknown")     \
  X(kQueueTimeRetired, queue_time, retired, "queue times in series dropped since")
// clang-format on

namespace exa {

enum class Counter : std::size_t {
#define EXA_X(name, metric, reason, sentence) name,
  EXA_COUNTERS(EXA_X)
#undef EXA_X
      kCount
};

class Counters {
 public:
  void add(Counter counter, std::uint64_t by = 1) {
    auto& value = values_[static_cast<std::size_t>(counter)];
    value.store(value.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t get(Counter counter) const {
    return values_[static_cast<std::size_t>(counter)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Counter::kCount)> values_{};
};

}  // namespace exa
