#include "agent/metrics/series_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <random>

namespace exa {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::Not;

Exchange server_request(std::uint16_t status) {
  Exchange exchange;
  exchange.target = 1;
  exchange.role = Role::kServer;
  exchange.protocol_version = ProtocolVersion::k11;
  exchange.operation.method = Method::kGet;
  exchange.operation.status = status;
  exchange.outcome = Outcome::kComplete;
  return exchange;
}

Exchange client_request(std::string_view host, std::uint16_t status = 200) {
  auto exchange = server_request(status);
  exchange.role = Role::kClient;
  exchange.host.assign(host);
  exchange.remote = {.address = {192, 0, 2, 7}, .port = 8080};
  return exchange;
}

SeriesKeys& keys() {
  static Counters counters;
  static SeriesKeys keys(1024, counters);
  return keys;
}
SeriesKey duration_key(const Exchange& exchange) {
  return keys().duration(exchange);
}
Attributes told_by(const SeriesKey& key) {
  KeyTexts texts;
  if (key.server.name != kNoName) texts.server = keys().names().text(key.server.name);
  if (key.name != kNoName) texts.name = keys().names().text(key.name);
  return attributes_of(key, texts);
}

TEST(SeriesKey, CarriesTheAttributesOfTheConventions) {
  EXPECT_THAT(told_by(duration_key(server_request(200))),
              ElementsAre(Attribute{"http.request.method", std::string("GET")},
                          Attribute{"url.scheme", std::string("http")},
                          Attribute{"http.response.status_code", std::int64_t{200}},
                          Attribute{"network.protocol.version", std::string("1.1")}));
  const auto client = told_by(duration_key(client_request("Shop.Example:8443", 404)));
  EXPECT_THAT(client, Contains(Attribute{"server.address", std::string("shop.example")}));
  EXPECT_THAT(client, Contains(Attribute{"server.port", std::int64_t{8443}}));
  EXPECT_THAT(client, Contains(Attribute{"error.type", std::string("404")}));
}

TEST(SeriesKey, KnowsWhoseErrorItIs) {
  const auto has_error = Contains(Field(&Attribute::key, "error.type"));
  EXPECT_THAT(told_by(duration_key(server_request(404))), Not(has_error));
  EXPECT_THAT(told_by(duration_key(server_request(500))),
              Contains(Attribute{"error.type", std::string("500")}));
  auto reset = server_request(0);
  reset.outcome = Outcome::kAbortedByPeer;
  reset.socket_error = ECONNRESET;
  EXPECT_THAT(told_by(duration_key(reset)),
              Contains(Attribute{"error.type", std::string("connection_reset")}));
  EXPECT_THAT(told_by(duration_key(reset)),
              Not(Contains(Field(&Attribute::key, "http.response.status_code"))));
}

TEST(SeriesKey, WritesTheSameServerAlike) {
  const auto key = [](std::string_view host) { return duration_key(client_request(host)); };
  EXPECT_EQ(key("shop"), key("SHOP"));
  EXPECT_EQ(key("shop"), key("shop:8080"));
  EXPECT_EQ(key("shop").hash(), key("SHOP:8080").hash());
  EXPECT_FALSE(key("shop") == key("shop:81"));
  EXPECT_FALSE(key("shop") == key("shoq"));
}

TEST(SeriesKey, FallsBackOnTheAddressForHostsThatAreNone) {
  for (const auto* host : {"", "a b", "x\ny", "evil\"", "shop:http", "shop:99999", "[::1]:80",
                           "a-name-that-is-much-longer-than-what-an-exchange-keeps.example"}) {
    const auto attributes = told_by(duration_key(client_request(host)));
    EXPECT_THAT(attributes, Contains(Attribute{"server.address", std::string("192.0.2.7")}))
        << host;
    EXPECT_THAT(attributes, Contains(Attribute{"server.port", std::int64_t{8080}})) << host;
  }
}

TEST(SeriesKey, TellsCallsApartByTheirMethods) {
  const auto call = [](std::string_view path) {
    auto exchange = client_request("shop");
    exchange.operation.convention = Convention::kRpc;
    exchange.operation.name.assign(path);
    exchange.operation.status = 1;
    return exchange;
  };
  const auto add = duration_key(call("/shop.Cart/Add"));
  EXPECT_EQ(duration_key(call("/shop.Cart/Add")), add);
  EXPECT_FALSE(duration_key(call("/shop.Cart/Drop")) == add);
  EXPECT_THAT(told_by(add), Contains(Attribute{"rpc.method", std::string("shop.Cart/Add")}));
  EXPECT_THAT(told_by(add), Contains(Attribute{"server.address", std::string("shop")}));
}

TEST(SeriesKey, WithoutAPlaceForAMethodACallCountsInTheOverflow) {
  Counters counters;
  SeriesKeys few(1, counters);
  auto exchange = client_request("shop");
  exchange.operation.convention = Convention::kRpc;
  exchange.operation.name.assign("/shop.Cart/Add");
  EXPECT_TRUE(few.duration(exchange).overflow);
  EXPECT_EQ(counters.get(Counter::kOverflowNames), 1u);
  EXPECT_EQ(few.names().size(), 0u) << "the server's place is free again";
}

TEST(SeriesKey, AnAddressIsOneServerHoweverItIsTold) {
  auto without_host = client_request("");
  auto mapped = without_host;
  mapped.remote = {.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7},
                   .port = 8080,
                   .is_ipv6 = true};
  const auto key = duration_key(without_host);
  EXPECT_EQ(duration_key(client_request("192.0.2.7")), key);
  EXPECT_EQ(duration_key(client_request("192.0.2.7:8080")), key);
  EXPECT_EQ(duration_key(mapped), key);
  EXPECT_THAT(told_by(key), Contains(Attribute{"server.address", std::string("192.0.2.7")}));

  const auto another = told_by(duration_key(client_request("192.0.2.8:81")));
  EXPECT_THAT(another, Contains(Attribute{"server.address", std::string("192.0.2.8")}));
  EXPECT_THAT(another, Contains(Attribute{"server.port", std::int64_t{81}}));
  for (const auto* name : {"192.0.2", "192.0.2.300", "192.0.2.7.", "192.0.2.07", ".192.0.2",
                           "1920.0.2.7", "192.0.02.7x1", "v1.2.3.4", "host7"})
    EXPECT_THAT(told_by(duration_key(client_request(name))),
                Contains(Attribute{"server.address", std::string(name)}));
}

class Registry : public ::testing::Test {
 protected:
  std::uint64_t total_count(const SeriesRegistry& registry) {
    std::uint64_t count = 0;
    for (const auto index : registry.active())
      count += registry.at(index).delta.count();
    return count;
  }
  Counters counters;
};

TEST_F(Registry, CountsEachRequestInItsSeries) {
  SeriesRegistry registry({}, counters);
  const auto ok = registry.record(duration_key(server_request(200)), 1, 3'000'000);
  const auto again = registry.record(duration_key(server_request(200)), 1, 30'000'000);
  const auto bad = registry.record(duration_key(server_request(500)), 1, 3'000'000);

  EXPECT_EQ(ok.series, again.series);
  EXPECT_EQ(ok.bucket, 0);
  EXPECT_EQ(again.bucket, 3);
  EXPECT_NE(ok.series, bad.series);
  EXPECT_EQ(registry.at(ok.series).delta.count(), 2u);
  EXPECT_THAT(registry.active(), ElementsAre(ok.series, bad.series));
}

TEST_F(Registry, LosesNoRequestBeyondTheCap) {
  SeriesRegistry registry({.max_series_per_metric = 10, .max_series_per_service = 10}, counters);
  for (std::uint16_t status = 100; status < 200; ++status)
    registry.record(duration_key(server_request(status)), 1, 1'000);

  EXPECT_EQ(registry.live_series(), 11u);
  EXPECT_EQ(total_count(registry), 100u);
  EXPECT_EQ(counters.get(Counter::kSeriesOverflow), 90u);
  const auto& last = registry.at(registry.active().back());
  EXPECT_THAT(told_by(last.key), ElementsAre(Attribute{"otel.metric.overflow", true}));
  EXPECT_EQ(last.key.target, 1u);
  EXPECT_EQ(last.delta.count(), 90u);
}

TEST_F(Registry, AQuotaKeepsOneServiceFromTakingAllSeries) {
  SeriesRegistry registry({.max_series_per_metric = 10, .max_series_per_service = 4}, counters);
  for (std::uint16_t status = 100; status < 150; ++status)
    registry.record(duration_key(server_request(status)), /*service=*/1, 1'000);
  auto other = server_request(200);
  other.target = 2;
  const auto quiet = registry.record(duration_key(other), /*service=*/2, 1'000);

  EXPECT_FALSE(registry.at(quiet.series).key.overflow);
  EXPECT_EQ(counters.get(Counter::kSeriesOverflow), 46u);
}

TEST_F(Registry, OverflowSeriesAreBoundedToo) {
  SeriesRegistry registry({.max_series_per_metric = 0, .max_overflow_series_per_metric = 2},
                          counters);
  for (TargetId target = 1; target <= 5; ++target) {
    auto exchange = server_request(200);
    exchange.target = target;
    registry.record(duration_key(exchange), 1, 1'000);
  }
  EXPECT_EQ(registry.live_series(), 3u);
  EXPECT_EQ(total_count(registry), 5u);
  EXPECT_EQ(registry.at(registry.active().back()).key.target, kNoTarget);
}

TEST_F(Registry, ClosingEmptiesDeltasAndExpiresIdleSeries) {
  SeriesRegistry registry({.expire_after_windows = 2}, counters);
  const auto key = duration_key(server_request(200));
  const auto first_uid = registry.at(registry.record(key, 1, 1'000).series).uid;

  EXPECT_THAT(registry.close_window(), IsEmpty());
  EXPECT_THAT(registry.active(), IsEmpty());
  EXPECT_EQ(registry.at(0).delta.count(), 0u);
  EXPECT_THAT(registry.close_window(), IsEmpty());
  const auto expired = registry.close_window();

  ASSERT_EQ(expired.size(), 1u);
  EXPECT_EQ(expired[0].uid, first_uid);
  EXPECT_EQ(registry.live_series(), 0u);
  EXPECT_NE(registry.at(registry.record(key, 1, 1'000).series).uid, first_uid)
      << "a series that returns is a new one, with a new start";
}

TEST_F(Registry, StaysFindableThroughAnyMixOfGrowthAndExpiry) {
  SeriesRegistry registry(
      {.max_series_per_metric = 300, .max_series_per_service = 300, .expire_after_windows = 1},
      counters);
  std::mt19937 random(7);
  for (int window = 0; window < 200; ++window) {
    std::map<SeriesIndex, SeriesKey> seen;
    for (int i = 0; i < 200; ++i) {
      const auto key = duration_key(server_request(static_cast<std::uint16_t>(random() % 400)));
      const auto index = registry.record(key, 1, 1'000).series;
      if (registry.at(index).key.overflow) continue;
      ASSERT_EQ(registry.at(index).key, key);
      ASSERT_EQ(seen.try_emplace(index, key).first->second, key);
    }
    ASSERT_EQ(total_count(registry), 200u);
    registry.close_window();
  }
}

}  // namespace
}  // namespace exa
