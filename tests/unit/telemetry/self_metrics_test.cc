#include "agent/telemetry/self_metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

namespace exa {
namespace {

std::int64_t value_of(const ResourceMetrics& metrics, const std::string& name,
                      const std::string& reason) {
  for (const auto& metric : metrics.metrics) {
    if (metric.name != name) continue;
    for (const auto& point : std::get<Sum>(metric.points).points) {
      const bool plain = reason.empty() && point.attributes.empty();
      const bool same =
          !point.attributes.empty() && point.attributes[0] == Attribute{"reason", reason};
      if (plain || same) return std::get<std::int64_t>(point.value);
    }
  }
  ADD_FAILURE() << name << " " << reason << " is missing";
  return -1;
}

TEST(SelfMetrics, PublishEveryRowOfEveryTable) {
  Counters counters;
  counters.add(Counter::kExchanges, 3);
  counters.add(Counter::kRecordsMalformed, 2);
  counters.of_protocol("one").add(ProtocolCounter::kOrphanGap, 9);
  ExportCounters exports;
  exports.add(ExportCounter::kSpansDroppedQueueFull, 5);
  std::vector<std::uint64_t> kernel(EXA_COUNTER_COUNT);
  kernel[EXA_COUNTER_HITS_RECV] = 7;

  const auto metrics = self_metrics(std::make_shared<const Resource>(), counters, exports, kernel,
                                    {.live_series = 4}, {1}, {2});

  EXPECT_EQ(value_of(metrics, "exemplar_agent.exchanges", ""), 3);
  EXPECT_EQ(value_of(metrics, "exemplar_agent.records_dropped", "malformed"), 2);
  EXPECT_EQ(value_of(metrics, "exemplar_agent.orphans", "gap"), 9);
  EXPECT_EQ(value_of(metrics, "exemplar_agent.export.spans_dropped", "queue_full"), 5);
  EXPECT_EQ(value_of(metrics, "exemplar_agent.kernel.hits", "recv"), 7);
  std::size_t points = 0;
  std::set<std::string> names;
  for (const auto& metric : metrics.metrics) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name << " stands twice";
    EXPECT_FALSE(metric.description.empty()) << metric.name;
    if (const auto* sum = std::get_if<Sum>(&metric.points)) points += sum->points.size();
  }
  const auto rows = static_cast<std::size_t>(Counter::kCount) +
                    static_cast<std::size_t>(ProtocolCounter::kCount) +
                    static_cast<std::size_t>(ExportCounter::kCount) + EXA_COUNTER_COUNT;
  EXPECT_EQ(points, rows + 1) << "and the processor time";
}

TEST(SelfMetrics, TellProtocolsApart) {
  Counters counters;
  counters.of_protocol("one").add(ProtocolCounter::kOrphanGap, 2);
  counters.of_protocol("other").add(ProtocolCounter::kOrphanGap, 3);
  counters.of_protocol("one").add(ProtocolCounter::kOrphanGap, 5);

  const auto metrics = self_metrics(std::make_shared<const Resource>(), counters, ExportCounters{},
                                    {}, {}, {1}, {2});

  const auto orphans = std::ranges::find(metrics.metrics, "exemplar_agent.orphans", &Metric::name);
  ASSERT_NE(orphans, metrics.metrics.end());
  std::map<std::string, std::int64_t> gaps;
  for (const auto& point : std::get<Sum>(orphans->points).points)
    if (attribute_text(point.attributes, "reason") == "gap")
      gaps[attribute_text(point.attributes, "protocol")] = std::get<std::int64_t>(point.value);
  EXPECT_EQ(gaps, (std::map<std::string, std::int64_t>{{"one", 7}, {"other", 3}}));
  EXPECT_EQ(counters.get(ProtocolCounter::kOrphanGap), 10u);
  EXPECT_EQ(orphans->description.find("gap: "), orphans->description.rfind("gap: "))
      << "a reason is explained once";
}

TEST(SelfMetrics, TellTheLimitsBesideWhatTheyLimit) {
  const auto metrics = self_metrics(
      std::make_shared<const Resource>(), Counters{}, ExportCounters{}, {},
      {.connections = 3, .connections_limit = 65536, .exemplar_budget = 100, .window_s = 0.5}, {1},
      {2});

  std::map<std::string, AttributeValue> gauges;
  for (const auto& metric : metrics.metrics)
    if (const auto* gauge = std::get_if<Gauge>(&metric.points))
      std::visit([&](auto value) { gauges[metric.name] = value; }, gauge->points.at(0).value);
  EXPECT_EQ(gauges.at("exemplar_agent.connections_tracked"), AttributeValue(std::int64_t{3}));
  EXPECT_EQ(gauges.at("exemplar_agent.connections_limit"), AttributeValue(std::int64_t{65536}));
  EXPECT_EQ(gauges.at("exemplar_agent.exemplar_budget"), AttributeValue(std::int64_t{100}));
  EXPECT_EQ(gauges.at("exemplar_agent.window"), AttributeValue(0.5));
}

TEST(SelfMetrics, TellHowTheSourceOfPodsAnswers) {
  const auto metrics = self_metrics(
      std::make_shared<const Resource>(), Counters{}, ExportCounters{}, {},
      {.pods = 12, .pods_source = SourceState::kForbidden, .pods_answer_age_s = 61.5}, {1}, {2});
  std::map<std::string, std::vector<NumberPoint>> points;
  for (const auto& metric : metrics.metrics)
    if (const auto* gauge = std::get_if<Gauge>(&metric.points)) points[metric.name] = gauge->points;
  EXPECT_EQ(std::get<std::int64_t>(points.at("exemplar_agent.kubernetes_pods")[0].value), 12);
  EXPECT_EQ(std::get<double>(points.at("exemplar_agent.kubernetes_answer_age")[0].value), 61.5);
  std::vector<std::string> holding;
  for (const auto& point : points.at("exemplar_agent.kubernetes_source"))
    if (std::get<std::int64_t>(point.value) == 1)
      holding.push_back(std::get<std::string>(point.attributes.at(0).value));
  EXPECT_EQ(holding, std::vector<std::string>{"forbidden"});
  EXPECT_EQ(points.at("exemplar_agent.kubernetes_source").size(), kSourceStateNames.size());
}

TEST(SelfMetrics, WithoutKubernetesSayNothingOfIt) {
  const auto metrics = self_metrics(std::make_shared<const Resource>(), Counters{},
                                    ExportCounters{}, {}, {}, {1}, {2});
  for (const auto& metric : metrics.metrics) {
    if (!std::holds_alternative<Gauge>(metric.points)) continue;
    EXPECT_EQ(metric.name.find("kubernetes"), std::string::npos) << metric.name;
  }
}

TEST(SelfMetrics, TellWhyTlsIsNotRead) {
  const auto metrics =
      self_metrics(std::make_shared<const Resource>(), Counters{}, ExportCounters{}, {},
                   {.tls = TlsState::kPreemptible}, {1}, {2});
  std::map<std::string, std::int64_t> states;
  for (const auto& metric : metrics.metrics) {
    if (metric.name != "exemplar_agent.tls") continue;
    for (const auto& point : std::get<Gauge>(metric.points).points)
      states[std::get<std::string>(point.attributes.at(0).value)] =
          std::get<std::int64_t>(point.value);
  }
  EXPECT_EQ(
      states,
      (std::map<std::string, std::int64_t>{
          {"off", 0}, {"reading", 0}, {"no_uprobe_multi", 0}, {"preemptible", 1}, {"refused", 0}}));
}

TEST(SelfMetrics, DoWithoutTheKernel) {
  const auto metrics = self_metrics(std::make_shared<const Resource>(), Counters{},
                                    ExportCounters{}, {}, {}, {1}, {2});
  for (const auto& metric : metrics.metrics)
    EXPECT_FALSE(metric.name.starts_with("exemplar_agent.kernel.")) << metric.name;
}

}  // namespace
}  // namespace exa
