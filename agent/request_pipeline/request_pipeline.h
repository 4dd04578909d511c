// From ring records to closed windows: decodes, tracks connections, names and counts each finished
// exchange, and at each tick hands over what the window held.
//
// Capture thread only, owned by the composing layer. Pure: time comes with the events and the
// ticks, ids come from the seed, so the same calls give the same windows bit by bit. Nothing on the
// way of a record allocates in steady state.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "agent/capture/events.h"
#include "agent/connection/handed_over.h"
#include "agent/connection/tracker.h"
#include "agent/exchange/exchange_sink.h"
#include "agent/exemplars/exemplar_sampler.h"
#include "agent/exemplars/flight_recorder.h"
#include "agent/exemplars/relatives.h"
#include "agent/metrics/metric_table.h"
#include "agent/metrics/series_registry.h"
#include "agent/model/share_loss.h"
#include "agent/request_pipeline/account_series.h"
#include "agent/request_pipeline/closed_window.h"
#include "agent/request_pipeline/deliveries.h"
#include "agent/request_pipeline/end_links.h"
#include "agent/request_pipeline/exponential_series.h"
#include "agent/request_pipeline/fine_series.h"
#include "agent/request_pipeline/graph_ends.h"
#include "agent/request_pipeline/held_exchanges.h"
#include "agent/request_pipeline/port_rules.h"
#include "agent/request_pipeline/program_table.h"
#include "agent/request_pipeline/target_table.h"
#include "agent/routes/route_table.h"
#include "agent/telemetry/counters.h"
#include "agent/trace/ids/randomness.h"
#include "agent/trace/ids/trace_ids.h"
#include "exa/base/time.h"

namespace exa {

struct RequestPipelineOptions {
  HashKey id_seed{};  // secret; random at each start unless a fleet shares one
  RandomnessOptions randomness = {};
  PortRules ports = {};
  RouteSettings routes = {};
  TrackerOptions tracker = {};
  SeriesLimits series = {};
  SamplerOptions sampler = {};
  RelativesOptions relatives = {};
  std::size_t recorder_records = 65536;
  std::size_t max_held_exchanges = 16384;
  Duration hold = std::chrono::seconds(1);
  // Where rules may exclude a process: those that nobody judges in that time are left out.
  Duration hold_for_verdict = std::chrono::seconds(10);
  std::uint32_t max_targets = 16384;
  std::uint32_t max_programs = 256;
  std::uint32_t fine_series = 0;  // of a window, whose quantiles and slowest request are told
  // A process that began while we observed has series of its own from this age on. A server listens
  // before the first request comes, a probe asks as soon as it can.
  Duration youth_of_servers = std::chrono::seconds(1);
  Duration youth_of_clients = std::chrono::seconds(5);
  // Metrics that somebody has to ask for.
  bool body_sizes = false;
  bool active_requests = false;
  bool time_spent = false;
  bool service_graph = false;
  bool exponential = false;      // histograms are exponential, too
  bool skip_beside_sdk = false;  // no spans of processes that send their own
};

class RequestPipeline final : public ExchangeSink {
 public:
  RequestPipeline(const RequestPipelineOptions& options, Counters& counters);

  // When the first window begins; without it, with the first event.
  void begin(MonotonicTime time);

  // Of the agent before this one, before the first record; and for the next one.
  void take_over(HandedOver earlier) { tracker_.take_over(std::move(earlier)); }
  [[nodiscard]] HandedOver hand_over() { return tracker_.hand_over(); }

  void on_record(std::span<const std::byte> record);
  void on_target(const Target& target);
  void on_clock_offset(WallClockOffset offset) { offset_ = offset; }

  // An exchange that the tracker finished.
  void on_exchange(const Exchange& exchange) override;

  // Ends the window at this time and begins the next one.
  [[nodiscard]] ClosedWindow close_window(MonotonicTime end);
  // Before the last close_window: nothing waits any longer.
  void release_held();

  // Threads that are in a request which takes long: somebody may look at them, and tell it by
  // records. Valid until the next call.
  [[nodiscard]] std::span<const std::uint32_t> slow_threads(MonotonicTime now) {
    return tracker_.slow_threads(now);
  }

  // Gauges for the self metrics.
  [[nodiscard]] std::size_t live_series() const { return registry_.live_series(); }
  [[nodiscard]] std::size_t targets() const { return targets_.size(); }
  [[nodiscard]] std::size_t connections() const { return tracker_.size(); }
  [[nodiscard]] std::size_t connections_limit() const { return options_.tracker.connections; }
  [[nodiscard]] std::size_t held_exchanges() const { return held_.size(); }

  // From now on these say which requests may become exemplars. Nothing is counted anew.
  void use_policies(const PolicySettings& policies) { sampler_.use(policies); }
  [[nodiscard]] PolicyTotals policy_totals() const { return sampler_.policy_totals(); }
  // Of the window that closes next.
  void on_pressure(BudgetPressure pressure) { sampler_.on_pressure(pressure); }
  [[nodiscard]] std::uint32_t spans_per_window() const { return sampler_.spans_per_window(); }

  // Processes that lost something because they hold more than their share, the worst first.
  [[nodiscard]] std::vector<ShareLoss> share_losses(std::size_t at_most) const;

 private:
  void advance(MonotonicTime now);
  void record(TargetId target, Exchange exchange);
  void let_go(TargetId asked);
  [[nodiscard]] bool is_young(const ProcessIdentity& process, const Exchange& exchange) const;
  TargetId program_of(TargetId process);
  std::optional<TargetId> counted_as(TargetId process, const Exchange& exchange);
  SeriesRegistry::Recorded add(const MetricRow& row, const Exchange& exchange, TargetId process,
                               bool has_place, std::uint64_t value);
  void count_open();
  [[nodiscard]] bool sends_spans(TargetId target) const;
  void fill_spans(ClosedWindow& window, Selection& selection);
  void fill_exemplars(ClosedWindow& window, const Selection& selection) const;
  void fill_targets(ClosedWindow& window) const;

  Counters& counters_;
  RequestPipelineOptions options_;
  TraceIds ids_;
  TargetTable targets_;
  ConnectionTracker tracker_;
  ProgramTable programs_;
  HeldExchanges held_;
  // Those that are recorded: of each exchange that ended, and of those that are open.
  std::vector<const MetricRow*> metrics_;
  std::vector<const MetricRow*> open_metrics_;
  SeriesRegistry registry_;
  FineSeries fine_;
  AccountSeries accounts_;
  ExponentialSeries exponential_;
  FlightRecorder recorder_;
  GraphEnds graph_ends_;
  RouteTable routes_;
  ExemplarSampler sampler_;
  RelativesFinder relatives_;
  EndLinks ends_;
  Deliveries deliveries_;
  WallClockOffset offset_;
  MonotonicTime now_;  // the latest time told by an event or a tick
  MonotonicTime next_sweep_;
  MonotonicTime began_;
  MonotonicTime window_start_;  // unknown until begin() or the first event
};

}  // namespace exa
