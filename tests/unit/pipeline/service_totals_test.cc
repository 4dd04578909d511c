#include "agent/run/pipeline/service_totals.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace exa {
namespace {

struct Counted {
  const char* name = "checkout";
  const char* space = "";
  std::int64_t pid = 100;
  MetricKind kind = MetricKind::kServerDuration;
  std::uint64_t count = 1;
  bool failed = false;
  bool tls = false;
};

ClosedWindow window_of(const std::vector<Counted>& all, std::uint64_t end_s = 1'700'000'000) {
  ClosedWindow window;
  window.end = {end_s * 1'000'000'000};
  TargetId id = 1;
  for (const auto& one : all) {
    auto target = std::make_shared<Target>();
    target->resource =
        std::make_shared<const Resource>(Resource{{{"service.name", std::string(one.name)},
                                                   {"service.namespace", std::string(one.space)},
                                                   {"process.pid", one.pid}}});
    window.targets.emplace(id, target);
    WindowSeries series;
    series.key.target = id++;
    series.key.kind = one.kind;
    series.key.tls = one.tls;
    series.key.protocol_version = ProtocolVersion::k11;
    series.key.error = one.failed ? ErrorType::kStatusCode : ErrorType::kNone;
    for (std::uint64_t i = 0; i < one.count; ++i)
      series.delta.add(0, 1);
    window.series.push_back(series);
  }
  return window;
}

TEST(ServiceTotals, AddUpOverWindowsAndProcesses) {
  ServiceTotals totals;
  totals.add(window_of({{.space = "shop", .pid = 100, .count = 5},
                        {.space = "shop", .pid = 101, .count = 2, .failed = true},
                        {.space = "shop", .kind = MetricKind::kClientDuration, .count = 4},
                        {.space = "shop", .kind = MetricKind::kServerQueue, .count = 7}}));
  totals.add(window_of({{.space = "shop", .pid = 100, .count = 3, .tls = true}}));
  const auto service = nlohmann::json::parse(totals.json()).at(0);
  EXPECT_EQ(service["name"], "shop/checkout");
  EXPECT_EQ(service["served"], 10);
  EXPECT_EQ(service["called"], 4);
  EXPECT_EQ(service["errors"], 2);
  EXPECT_EQ(service["overflow"], 0);
  EXPECT_EQ(service["spoken"], nlohmann::json({"HTTP/1", "HTTP/1 over TLS"}));
  EXPECT_EQ(service["pids"], nlohmann::json({100, 101}));
}

TEST(ServiceTotals, TellWhatIsSpokenAndWhatIsNotKnown) {
  ServiceTotals totals;
  auto window = window_of({{.count = 3}, {.count = 2}, {.count = 1}});
  window.series[0].key.protocol_version = ProtocolVersion::k2;
  window.series[1].key.convention = Convention::kRpc;
  window.series[2].key = overflow_key(Convention::kHttp, MetricKind::kServerDuration, 3);
  totals.add(window);
  const auto service = nlohmann::json::parse(totals.json()).at(0);
  EXPECT_EQ(service["served"], 6);
  EXPECT_EQ(service["overflow"], 1);
  EXPECT_EQ(service["spoken"], nlohmann::json({"HTTP/2", "gRPC"}));
}

TEST(ServiceTotals, AreBounded) {
  ServiceTotals totals;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < ServiceTotals::kMaxServices + 10; ++i)
    names.push_back("service-" + std::to_string(i));
  for (const auto& name : names)
    totals.add(window_of({{.name = name.c_str(), .count = 2}}));
  const auto services = nlohmann::json::parse(totals.json());
  EXPECT_EQ(services.size(), ServiceTotals::kMaxServices + 1);
  const auto others = std::ranges::find_if(
      services, [](const auto& one) { return one["name"] == ServiceTotals::kOthers; });
  ASSERT_NE(others, services.end());
  EXPECT_EQ((*others)["served"], 20) << "nothing is lost";
  for (std::int64_t pid = 0; pid < 100; ++pid)
    totals.add(window_of({{.name = "service-0", .pid = pid}}));
  const auto crowded = nlohmann::json::parse(totals.json());
  for (const auto& one : crowded)
    EXPECT_LE(one["pids"].size(), ServiceTotals::kMaxPids);
}

}  // namespace
}  // namespace exa
