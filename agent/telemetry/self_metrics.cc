#include "agent/telemetry/self_metrics.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace exa {
namespace {

struct Row {
  CounterKind kind;
  std::string_view group;
  std::string_view reason;  // as the tables spell it: an empty one is two quotation marks
  std::string_view sentence;
  std::uint64_t value;
};

std::string_view reason_of(const Row& row) {
  return row.reason == "\"\"" ? std::string_view{} : row.reason;
}

std::int64_t signed_value(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

class Builder {
 public:
  Builder(WallTime start, WallTime now) : start_(start), now_(now) {}

  void add_rows(std::string_view prefix, const std::vector<Row>& rows) {
    for (const auto& row : rows) {
      const auto reason = reason_of(row);
      auto& metric = sum_named(std::string(prefix) + std::string(row.group));
      if (!metric.description.empty()) metric.description += "; ";
      if (!reason.empty()) metric.description += std::string(reason) + ": ";
      metric.description += row.sentence;
      NumberPoint point{.attributes = {},
                        .start = start_,
                        .time = now_,
                        .value = signed_value(row.value),
                        .kind = row.kind};
      if (!reason.empty()) point.attributes.push_back({"reason", std::string(reason)});
      std::get<Sum>(metric.points).points.push_back(std::move(point));
    }
  }

  void add_gauge(std::string name, std::string description, std::string unit, std::uint64_t value) {
    metrics_.push_back(
        {.name = std::move(name),
         .description = std::move(description),
         .unit = std::move(unit),
         .points =
             Gauge{{{.attributes = {}, .start = {}, .time = now_, .value = signed_value(value)}}}});
  }

  void add_gauge(std::string name, std::string description, std::string unit, double value) {
    metrics_.push_back(
        {.name = std::move(name),
         .description = std::move(description),
         .unit = std::move(unit),
         .points = Gauge{{{.attributes = {}, .start = {}, .time = now_, .value = value}}}});
  }

  // A point for each state, 1 for the one that holds.
  void add_states(std::string name, std::string description,
                  std::span<const std::string_view> states, std::size_t holds) {
    Gauge gauge;
    for (std::size_t state = 0; state < states.size(); ++state)
      gauge.points.push_back({.attributes = {{"state", std::string(states[state])}},
                              .start = {},
                              .time = now_,
                              .value = std::int64_t{state == holds ? 1 : 0}});
    metrics_.push_back({.name = std::move(name),
                        .description = std::move(description),
                        .unit = {},
                        .points = std::move(gauge)});
  }

  void add_sum(std::string name, std::string description, std::string unit, double value) {
    metrics_.push_back(
        {.name = std::move(name),
         .description = std::move(description),
         .unit = std::move(unit),
         .points = Sum{{{.attributes = {}, .start = start_, .time = now_, .value = value}}}});
  }

  std::vector<Metric> take() { return std::move(metrics_); }

 private:
  // A group's rows need not stand together in its table.
  Metric& sum_named(const std::string& name) {
    const auto known = std::ranges::find(metrics_, name, &Metric::name);
    if (known != metrics_.end()) return *known;
    return metrics_.emplace_back(
        Metric{.name = name, .description = {}, .unit = {}, .points = Sum{}});
  }

  WallTime start_;
  WallTime now_;
  std::vector<Metric> metrics_;
};

}  // namespace

ResourceMetrics self_metrics(std::shared_ptr<const Resource> agent, const Counters& counters,
                             const ExportCounters& export_counters,
                             std::span<const std::uint64_t> kernel, const SelfGauges& gauges,
                             WallTime start, WallTime now) {
  Builder builder(start, now);
  builder.add_rows("exemplar_agent.", {
#define EXA_X(name, kind, metric, reason, sentence) \
  {CounterKind::kind, #metric, #reason, sentence, counters.get(Counter::name)},
                                          EXA_COUNTERS(EXA_X)
#undef EXA_X
                                      });
  builder.add_rows("exemplar_agent.export.", {
#define EXA_X(name, kind, metric, reason, sentence) \
  {CounterKind::kind, #metric, #reason, sentence, export_counters.get(ExportCounter::name)},
                                                 EXA_EXPORT_COUNTERS(EXA_X)
#undef EXA_X
                                             });
  if (kernel.size() >= EXA_COUNTER_COUNT) {
    builder.add_rows("exemplar_agent.kernel.", {
#define EXA_X(name, kind, group, reason, sentence) \
  {CounterKind::kind, #group, #reason, sentence, kernel[EXA_COUNTER_##name]},
                                                   EXA_KERNEL_COUNTERS(EXA_X)
#undef EXA_X
                                               });
  }
  builder.add_gauge("exemplar_agent.live_series", "Series that hold counts.", "",
                    gauges.live_series);
  builder.add_gauge("exemplar_agent.targets_known", "Processes in the target table.", "",
                    gauges.targets);
  builder.add_gauge("exemplar_agent.exchanges_held", "Exchanges waiting for their target.", "",
                    gauges.held_exchanges);
  builder.add_gauge("exemplar_agent.connections_tracked", "Connections being tracked.", "",
                    gauges.connections);
  builder.add_gauge("exemplar_agent.connections_limit", "Connections that can be tracked at once.",
                    "", gauges.connections_limit);
  builder.add_gauge("exemplar_agent.exemplar_budget", "Exemplar spans allowed a window.", "",
                    gauges.exemplar_budget);
  builder.add_gauge("exemplar_agent.window", "Length of a window.", "s", gauges.window_s);
  builder.add_gauge("exemplar_agent.spans_waiting", "Spans whose delivery is not decided.", "",
                    gauges.spans_queued);
  builder.add_gauge("exemplar_agent.resident_memory", "Resident memory of the pipeline.", "By",
                    gauges.resident_bytes);
  if (gauges.tls)
    builder.add_states(
        "exemplar_agent.tls",
        "Whether TLS is read; a state other than reading and off is a reason why not.",
        kTlsStateNames, static_cast<std::size_t>(*gauges.tls));
  if (const auto& kubernetes = gauges.kubernetes) {
    builder.add_gauge("exemplar_agent.kubernetes_pods", "Pods of this node that are known.", "",
                      kubernetes->pods);
    builder.add_states("exemplar_agent.kubernetes_source",
                       "How the source of pods answers; following is the healthy state.",
                       kSourceStateNames, static_cast<std::size_t>(kubernetes->source));
    builder.add_gauge("exemplar_agent.kubernetes_answer_age",
                      "Time since the source of pods last answered well.", "s",
                      kubernetes->answer_age_s);
  }
  builder.add_sum("exemplar_agent.cpu_time", "Processor time used by the pipeline.", "s",
                  gauges.cpu_seconds_total);
  return {.resource = std::move(agent), .metrics = builder.take()};
}

}  // namespace exa
