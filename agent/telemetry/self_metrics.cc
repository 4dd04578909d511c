#include "agent/telemetry/self_metrics.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace exa {
namespace {

struct Row {
  CounterKind kind;
  std::string_view group;
  std::string_view reason;  // as the tables spell it: an empty one is two quotation marks
  std::string_view sentence;
  std::uint64_t value;
  std::string_view protocol = {};
};

struct GaugeRow {
  std::string_view metric;
  std::string_view unit;
  std::string_view sentence;
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
    std::vector<Group> groups;
    for (const auto& row : rows) {
      const auto reason = reason_of(row);
      auto& group = group_named(row.group, groups);
      describe(row, reason, group);
      NumberPoint point{.attributes = {},
                        .start = start_,
                        .time = now_,
                        .value = signed_value(row.value),
                        .kind = row.kind};
      if (!reason.empty()) point.attributes.push_back({"reason", std::string(reason)});
      if (!row.protocol.empty())
        point.attributes.push_back({"protocol", std::string(row.protocol)});
      group.sum.points.push_back(std::move(point));
    }
    for (auto& group : groups)
      metrics_.push_back({.name = std::string(prefix) + std::string(group.name),
                          .description = std::move(group.description),
                          .unit = {},
                          .points = std::move(group.sum)});
  }

  // Of a row of the table, by the type of its member.
  void add(const GaugeRow& row, std::uint64_t value) { add(row, gauge_of(signed_value(value))); }
  void add(const GaugeRow& row, double value) { add(row, gauge_of(value)); }
  void add(const GaugeRow& row, TlsState holds) { add_states(row, kTlsStateNames, holds); }
  void add(const GaugeRow& row, SourceState holds) { add_states(row, kSourceStateNames, holds); }
  void add(const GaugeRow& row, RunningTotal total) {
    add(row, Sum{{{.attributes = {}, .start = start_, .time = now_, .value = total.value}}});
  }
  void add(const GaugeRow& row, const PolicyTotals& totals) {
    Sum sum;
    for (const auto& total : totals) {
      const auto add_point = [&](const char* outcome, std::uint64_t value) {
        sum.points.push_back(
            {.attributes = {{"rule", total.rule}, {"outcome", std::string(outcome)}},
             .start = start_,
             .time = now_,
             .value = signed_value(value)});
      };
      add_point("admitted", total.admitted);
      add_point("refused", total.refused);
    }
    if (!sum.points.empty()) add(row, std::move(sum));
  }
  template <typename Known>
  void add(const GaugeRow& row, const std::optional<Known>& value) {
    if (value) add(row, *value);
  }

  std::vector<Metric> take() { return std::move(metrics_); }

 private:
  void add(const GaugeRow& row, std::variant<Gauge, Sum, Histogram> points) {
    metrics_.push_back({.name = "exemplar_agent." + std::string(row.metric),
                        .description = std::string(row.sentence),
                        .unit = std::string(row.unit),
                        .points = std::move(points)});
  }
  [[nodiscard]] Gauge gauge_of(std::variant<std::int64_t, double> value) const {
    return {{{.attributes = {}, .start = {}, .time = now_, .value = value}}};
  }
  // A point for each state, 1 for the one that holds.
  template <typename State>
  void add_states(const GaugeRow& row, std::span<const std::string_view> names, State holds) {
    Gauge gauge;
    for (std::size_t state = 0; state < names.size(); ++state)
      gauge.points.push_back(
          {.attributes = {{"state", std::string(names[state])}},
           .start = {},
           .time = now_,
           .value = std::int64_t{state == static_cast<std::size_t>(holds) ? 1 : 0}});
    add(row, std::move(gauge));
  }

  struct Group {
    std::string_view name;
    std::string description;
    std::vector<std::string_view> described;  // reasons
    Sum sum;
  };
  // Once, whatever the number of protocols.
  static void describe(const Row& row, std::string_view reason, Group& group) {
    if (std::ranges::find(group.described, reason) != group.described.end()) return;
    group.described.push_back(reason);
    if (!group.description.empty()) group.description += "; ";
    if (!reason.empty()) group.description += std::string(reason) + ": ";
    group.description += row.sentence;
  }
  // A group's rows need not stand together in its table.
  static Group& group_named(std::string_view name, std::vector<Group>& groups) {
    const auto known = std::ranges::find(groups, name, &Group::name);
    if (known != groups.end()) return *known;
    return groups.emplace_back(Group{.name = name, .description = {}, .described = {}, .sum = {}});
  }

  WallTime start_;
  WallTime now_;
  std::vector<Metric> metrics_;
};

std::vector<Row> rows_of_protocols(const Counters& counters) {
  std::vector<Row> rows;
  for (const auto& of_protocol : counters.protocols()) {
#define EXA_X(name, kind, metric, reason, sentence)              \
  rows.push_back({CounterKind::kind, #metric, #reason, sentence, \
                  of_protocol->get(ProtocolCounter::name), of_protocol->protocol()});
    EXA_PROTOCOL_COUNTERS(EXA_X)
#undef EXA_X
  }
  return rows;
}

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
  builder.add_rows("exemplar_agent.", rows_of_protocols(counters));
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
#define EXA_X(type, member, metric, unit, sentence) \
  builder.add(GaugeRow{#metric, unit, sentence}, gauges.member);
  EXA_GAUGES(EXA_X)
#undef EXA_X
  return {.resource = std::move(agent), .metrics = builder.take(), .of_agent = true};
}

}  // namespace exa
