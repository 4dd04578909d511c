#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/commands/status/status_services.h"
#include "agent/discovery/tls/connection_reasons.h"

namespace exa {
namespace {

constexpr WallTime kLater{1'700'000'005'000'000'000};

constexpr const char* kServices =
    R"({"services":[{"name":"checkout","served":1200,"called":0,"errors":3,"overflow":0,"spoken":["HTTP/1"],
        "last_unix_ms":1700000003000,"pids":[100]},
       {"name":"a-much-longer-name","served":7,"called":12,"errors":0,"spoken":["HTTP/1 over TLS"],
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

TEST(ServicesTable, ErrorsThatMayBeMoreAreMarked) {
  EXPECT_EQ(services_table(R"({"services":[{"name":"shop","served":900,"called":0,"errors":12,
                "overflow":500,"spoken":["HTTP/2","gRPC"],"last_unix_ms":1700000003000}]})",
                           "", kLater)
                .value(),
            "SERVICE  SERVED  CALLED  ERRORS  LAST REQUEST  READ          NOT READ\n"
            "shop        900       0     12+  2 s ago       HTTP/2, gRPC  -\n"
            "+: there may be more among the 500 requests counted in overflow series "
            "(otel.metric.overflow)\n");
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
            "no service has received or sent a request yet\n");
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
