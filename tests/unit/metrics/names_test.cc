// Texts in keys: one number a text, for as long as a series holds it.
#include "agent/metrics/names.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "agent/metrics/series_registry.h"

namespace exa {
namespace {

TEST(Names, GiveATextOneNumber) {
  Names names(8);
  const auto shop = names.of("shop");
  const auto till = names.of("till");
  EXPECT_NE(shop, kNoName);
  EXPECT_NE(shop, till);
  EXPECT_EQ(names.of("shop"), shop);
  EXPECT_EQ(names.text(shop).view(), "shop");
  EXPECT_EQ(names.size(), 2u);
}

TEST(Names, GiveNoNumberTwiceThatAWindowTold) {
  Names names(1);
  const auto shop = names.of("shop");
  names.hold(shop);
  EXPECT_EQ(names.of("till"), kNoName) << "full";
  names.release(shop);
  const auto till = names.of("till");
  EXPECT_NE(till, kNoName);
  EXPECT_NE(till, shop);
  EXPECT_EQ(names.text(till).view(), "till");
}

TEST(Names, LiveAsLongAsSomebodyHoldsThem) {
  Names names(8);
  const auto shop = names.of("shop");
  names.hold(shop);
  names.hold(shop);
  names.drop_unless_held(shop);
  names.release(shop);
  EXPECT_EQ(names.of("shop"), shop);
  names.release(shop);
  EXPECT_EQ(names.size(), 0u);
  EXPECT_NE(names.of("shop"), shop);
}

TEST(Names, StayFindableThroughAnyMixOfComingAndGoing) {
  Names names(64);
  std::map<std::string, NameId> held;
  std::mt19937 random(7);
  for (int turn = 0; turn < 20'000; ++turn) {
    const auto text = "host" + std::to_string(random() % 200);
    const auto name = names.of(text);
    if (const auto known = held.find(text); known != held.end()) {
      ASSERT_EQ(name, known->second);
      if (random() % 2 == 0) continue;
      names.release(name);
      held.erase(known);
    } else if (name == kNoName) {
      ASSERT_EQ(held.size(), 64u);
    } else if (random() % 2 == 0) {
      names.drop_unless_held(name);
    } else {
      names.hold(name);
      held.emplace(text, name);
    }
    ASSERT_EQ(names.size(), held.size());
  }
}

class ServersOfClients : public ::testing::Test {
 protected:
  static Exchange request(std::string_view server, std::uint8_t address = 7) {
    Exchange exchange;
    exchange.target = 1;
    exchange.role = Role::kClient;
    exchange.host.assign(server);
    exchange.remote = {.address = {192, 0, 2, address}, .port = 8080};
    return exchange;
  }
  SeriesIndex count(SeriesRegistry& registry, const Exchange& exchange) {
    return registry.record(registry.keys().duration(exchange), 1, 1'000).series;
  }
  static std::string server_of(const SeriesRegistry& registry, SeriesIndex series) {
    return std::string(registry.keys().names().text(registry.at(series).key.server.name).view());
  }
  Counters counters;
};

TEST_F(ServersOfClients, AreRememberedByAllThatTellsThem) {
  SeriesRegistry registry({}, counters);
  const auto shop = count(registry, request("shop"));
  EXPECT_EQ(count(registry, request("shop")), shop);
  EXPECT_EQ(count(registry, request("SHOP:8080")), shop);
  EXPECT_NE(count(registry, request("shoq")), shop) << "of one address and one length";
  EXPECT_EQ(count(registry, request("shop", 8)), shop) << "at another address";
  EXPECT_NE(count(registry, request("", 7)), count(registry, request("", 8)));
  auto elsewhere = request("shop");
  elsewhere.remote.port = 8081;
  EXPECT_NE(count(registry, elsewhere), shop);
  const std::string longest(45, 'n');
  EXPECT_NE(count(registry, request(longest)), count(registry, request(longest + "n")))
      << "a name that was cut is none";
}

TEST_F(ServersOfClients, AreForgottenWithTheirSeries) {
  SeriesRegistry registry({.expire_after_windows = 1}, counters);
  count(registry, request("shop"));
  registry.close_window();
  registry.close_window();
  ASSERT_EQ(registry.live_series(), 0u);
  EXPECT_EQ(registry.keys().names().size(), 0u);
  // The place has another text now; what was remembered must not stand for it.
  const auto till = count(registry, request("till", 9));
  const auto shop = count(registry, request("shop"));
  EXPECT_EQ(server_of(registry, till), "till");
  EXPECT_EQ(server_of(registry, shop), "shop");
}

TEST_F(ServersOfClients, WithoutASeriesHoldNoPlace) {
  SeriesRegistry registry({.max_series_per_metric = 1, .max_names = 2}, counters);
  const auto shop = count(registry, request("shop"));
  for (int i = 0; i < 100; ++i) {
    const auto other = count(registry, request("host" + std::to_string(i)));
    EXPECT_TRUE(registry.at(other).key.overflow);
  }
  EXPECT_EQ(registry.keys().names().size(), 1u);
  EXPECT_EQ(counters.get(Counter::kSeriesOverflow), 100u);
  EXPECT_EQ(counters.get(Counter::kOverflowNames), 0u);
  EXPECT_EQ(server_of(registry, shop), "shop");
}

TEST_F(ServersOfClients, WithoutAPlaceCountInTheOverflowSeries) {
  SeriesRegistry registry({.max_names = 1}, counters);
  count(registry, request("shop"));
  const auto key = registry.keys().duration(request("till"));
  EXPECT_TRUE(key.overflow);
  EXPECT_EQ(key.target, 1u);
  EXPECT_EQ(counters.get(Counter::kOverflowNames), 1u);
}

}  // namespace
}  // namespace exa
