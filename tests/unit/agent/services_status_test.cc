#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/discovery/tls/connection_reasons.h"
#include "agent/service_totals.h"
#include "agent/status_services.h"

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
    series.key.error = one.failed ? ErrorType::kStatusCode : ErrorType::kNone;
    for (std::uint64_t i = 0; i < one.count; ++i)
      series.delta.add(0, 1);
    window.series.push_back(series);
  }
  return window;
}

constexpr WallTime kLater{1'700'000'005'000'000'000};

TEST(ServiceTotals, AddUpOverWindowsAndProcesses) {
  ServiceTotals totals;
  totals.add(window_of({{.space = "shop", .pid = 100, .count = 5},
                        {.space = "shop", .pid = 101, .count = 2, .failed = true},
                        {.space = "shop", .kind = MetricKind::kClientDuration, .count = 4},
                        {.space = "shop", .kind = MetricKind::kServerQueue, .count = 7}}));
  totals.add(window_of({{.space = "shop", .pid = 100, .count = 3, .tls = true}}));
  const auto service = nlohmann::json::parse(totals.json())["services"].at(0);
  EXPECT_EQ(service["name"], "shop/checkout");
  EXPECT_EQ(service["served"], 10);
  EXPECT_EQ(service["called"], 4);
  EXPECT_EQ(service["errors"], 2);
  EXPECT_EQ(service["over_tls"], 3);
  EXPECT_EQ(service["pids"], nlohmann::json({100, 101}));
}

TEST(ServiceTotals, AreBounded) {
  ServiceTotals totals;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < ServiceTotals::kMaxServices + 10; ++i)
    names.push_back("service-" + std::to_string(i));
  for (const auto& name : names)
    totals.add(window_of({{.name = name.c_str(), .count = 2}}));
  const auto services = nlohmann::json::parse(totals.json())["services"];
  EXPECT_EQ(services.size(), ServiceTotals::kMaxServices + 1);
  const auto others = std::ranges::find_if(
      services, [](const auto& one) { return one["name"] == ServiceTotals::kOthers; });
  ASSERT_NE(others, services.end());
  EXPECT_EQ((*others)["served"], 20) << "nothing is lost";
  for (std::int64_t pid = 0; pid < 100; ++pid)
    totals.add(window_of({{.name = "service-0", .pid = pid}}));
  const auto crowded = nlohmann::json::parse(totals.json());
  for (const auto& one : crowded["services"])
    EXPECT_LE(one["pids"].size(), ServiceTotals::kMaxPids);
}

TEST(ServicesFile, ATornOneIsKnown) {
  const auto text = sealed(R"({"services":[]})");
  EXPECT_EQ(unsealed(text).value(), R"({"services":[]})");
  EXPECT_EQ(unsealed(text + "the end of a longer one").value(), R"({"services":[]})");
  EXPECT_FALSE(unsealed(text.substr(0, text.size() - 1)));
  auto torn = text;
  torn[torn.size() - 3] = 'x';
  EXPECT_FALSE(unsealed(torn));
  for (const char* other : {"", "x", "exemplar-agent services ", "exemplar-agent services \n",
                            "exemplar-agent services 2\n{}", "exemplar-agent services -1 0\n{}"})
    EXPECT_FALSE(unsealed(other)) << other;
}

constexpr const char* kServices =
    R"({"services":[{"name":"checkout","served":1200,"called":0,"errors":3,"over_tls":0,
        "last_unix_ms":1700000003000,"pids":[100]},
       {"name":"a-much-longer-name","served":7,"called":12,"errors":0,"over_tls":19,
        "last_unix_ms":1699990000000,"pids":[7,8]}]})";

// What is known of a process' TLS, with the reasons that the prober gives.
std::string processes(const std::vector<TlsUse>& found, const exa_connection_counts& counts) {
  auto json = nlohmann::json::object();
  auto& process = json["processes"].emplace_back(nlohmann::json{{"pid", 8}});
  for (const auto& use : told_uses(found, "/usr/bin/granian", counts))
    process["tls"].push_back({{"path", use.path}, {"reason", use.reason}});
  return json.dump();
}

std::vector<TlsUse> granian() {
  const auto use = [](const char* path, TlsVerdict verdict, std::size_t probes) {
    TlsUse found;
    found.path = path;
    found.reason = sentence(verdict);
    found.probes = probes;
    return found;
  };
  return {use("/lib/granian.so", TlsVerdict::kRustls, 0),
          use("/lib/libssl.so", TlsVerdict::kReadable, 9),
          use("/usr/bin/granian", TlsVerdict::kNoLibrary, 0)};
}

TEST(ServicesTable, IsAligned) {
  EXPECT_EQ(services_table(kServices, processes(granian(), {}), kLater).value(),
            "SERVICE             SERVED  CALLED  ERRORS  LAST REQUEST  READ             NOT READ\n"
            "checkout              1200       0       3  2 s ago       HTTP/1           -\n"
            "a-much-longer-name       7      12       0  2 h ago       HTTP/1 over TLS  rustls: "
            "Rust inlines its functions, so there is no fixed place to probe\n");
}

TEST(ServicesTable, WhatIsReadIsNotNamedAsUnread) {
  exa_connection_counts counts{};
  counts.connections[EXA_KIND_TLS] = 3;
  counts.connections[EXA_KIND_TLS_READ] = 3;
  auto found = granian();
  found.erase(found.begin());
  EXPECT_THAT(services_table(kServices, processes(found, counts), kLater).value(),
              testing::EndsWith("HTTP/1 over TLS  -\n"));
}

TEST(ServicesTable, WithoutAnythingSaysSo) {
  EXPECT_EQ(services_table("", "", kLater).value(),
            "no service has answered or asked anything yet\n");
  EXPECT_FALSE(services_table("[]", "", kLater));
  EXPECT_FALSE(services_table("", "nonsense", kLater));
}

TEST(ServicesTable, NothingInItMovesACursor) {
  const auto table = services_table(
      R"({"services":[{"name":"\u001b[2Jx\n","served":1},{"name":7,"served":-1},3]})",
      R"({"processes":[{"pid":"x","tls":[{"reason":"\u0007"},5]},4]})", kLater);
  ASSERT_TRUE(table) << table.error().text;
  EXPECT_EQ(table->find_first_of("\x1b\x07"), std::string::npos);
  EXPECT_EQ(std::ranges::count(*table, '\n'), 4);
}

TEST(StatusJson, HoldsServicesAndProcesses) {
  const auto json = nlohmann::json::parse(status_json(kServices, processes(granian(), {})).value());
  EXPECT_EQ(json["services"].size(), 2u);
  EXPECT_EQ(json["processes"].size(), 1u);
  const auto empty = nlohmann::json::parse(status_json("", "").value());
  EXPECT_EQ(empty["services"], nlohmann::json::array());
  EXPECT_EQ(empty["processes"], nlohmann::json::array());
}

}  // namespace
}  // namespace exa
