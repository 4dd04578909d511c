#include "agent/routes/route_table.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace exa {
namespace {

class Routes : public ::testing::Test {
 protected:
  std::string route(const std::string& service, std::string_view path) {
    const auto* found = table.route_of(service, path, false);
    return found == nullptr ? "" : *found;
  }
  // The route after so many requests.
  std::string after(int requests, std::string_view path, const std::string& service = "shop") {
    for (int i = 1; i < requests; ++i)
      route(service, path);
    return route(service, path);
  }
  RouteTable table{
      {.known = {{.service = "shop", .path = "/orders/{id}"},
                 {.service = "", .path = "/orders/*"},
                 {.service = "", .path = "/cart"}},
       .ignored = {{.service = "", .path = "/healthz"}, {.service = "shop", .path = "/internal/*"}},
       .learn = true,
       .learnt_per_service = 20}};
};

TEST_F(Routes, TheFirstKnownOneThatMatchesCounts) {
  EXPECT_EQ(route("shop", "/orders/4711"), "/orders/{id}");
  EXPECT_EQ(route("shop", "/orders/4711/items"), "/orders/*");
  EXPECT_EQ(route("store", "/orders/4711"), "/orders/*");
  EXPECT_EQ(route("store", "/cart"), "/cart");
}

TEST_F(Routes, SomeAreIgnored) {
  EXPECT_TRUE(table.ignores("store", "/healthz", false));
  EXPECT_FALSE(table.ignores("store", "/healthz", true)) << "it went on, nobody knows how";
  EXPECT_TRUE(table.ignores("shop", "/internal/debug", false));
  EXPECT_FALSE(table.ignores("store", "/internal/debug", false));
}

TEST_F(Routes, AreLearntOnceTheyHaveEarnedIt) {
  EXPECT_EQ(after(49, "/users/1"), "");
  EXPECT_EQ(after(1, "/users/2"), "/users/{id}");
  EXPECT_EQ(after(50, "/users/2", "store"), "/users/{id}") << "by each service for itself";
}

TEST_F(Routes, WhatAScannerTriesIsNone) {
  after(20'000, "/cart/checkout");
  for (int i = 0; i < 60; ++i)
    EXPECT_EQ(route("shop", "/wp-login.php"), "");
}

TEST_F(Routes, ManyWordsBehindOnePrefixAreOneName) {
  std::mt19937 random(7);
  std::set<std::string> labels;
  for (int i = 0; i < 20'000; ++i) {
    std::string name = "u";
    for (int letter = 0; letter < 6; ++letter)
      name += static_cast<char>('a' + random() % 26);
    labels.insert(route("shop", "/profiles/" + name + "/photo"));
  }
  EXPECT_EQ(labels, (std::set<std::string>{"", "/profiles/{name}/photo"}));
}

TEST_F(Routes, WordsThatEarnedTheirOwnStayBesideAName) {
  EXPECT_EQ(after(60, "/users/login"), "/users/login");
  for (const auto* name : {"ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal", "ida", "jim",
                           "kim", "lou", "max", "ned", "oda", "pam"})
    after(10, std::string("/users/") + name);
  EXPECT_EQ(route("shop", "/users/login"), "/users/login");
  EXPECT_EQ(after(50, "/users/zoe"), "/users/{name}");
}

TEST_F(Routes, AServiceHasOnlySoMany) {
  std::set<std::string> labels;
  for (int i = 0; i < 40; ++i)
    labels.insert(after(100, "/p" + std::string(1, static_cast<char>('a' + i % 26)) +
                                 std::string(1, static_cast<char>('a' + i / 26))));
  EXPECT_LE(labels.size(), 21u);
}

TEST_F(Routes, HostilePathsCostLittle) {
  std::mt19937 random(9);
  for (int i = 0; i < 50'000; ++i) {
    std::string path;
    for (int segment = 0; segment < 6; ++segment)
      path += "/" + std::string(1 + random() % 9, static_cast<char>('a' + random() % 26)) +
              static_cast<char>('a' + random() % 26);
    EXPECT_EQ(route("shop", path), "");
  }
  RouteTexts texts(20);
  RouteLearner learner(20);
  for (int i = 0; i < 50'000; ++i)
    learner.see("/" + std::string(1 + random() % 5, static_cast<char>('a' + random() % 26)) + "/" +
                    std::string(1, static_cast<char>('a' + random() % 26)),
                texts);
  EXPECT_LE(learner.nodes(), RouteLearner::kMostNodes);
}

TEST_F(Routes, DeeperRoutesSurviveManyWords) {
  EXPECT_EQ(after(60, "/api/orders/17"), "/api/orders/{id}");
  for (char c = 'a'; c <= 'z'; ++c)
    route("shop", "/api/" + std::string(3, c));
  EXPECT_EQ(route("shop", "/api/orders/18"), "/api/orders/{id}");
}

TEST_F(Routes, NewEndpointsOfOldServicesAreLearnt) {
  after(1'000'000, "/home");
  std::string found;
  for (int i = 0; i < 2'000; ++i) {
    route("shop", "/home");
    found = route("shop", "/new");
  }
  EXPECT_EQ(found, "/new");
  EXPECT_EQ(route("shop", "/home"), "/home");
}

TEST_F(Routes, AreLearntAfterAScanner) {
  std::mt19937 random(3);
  const auto word = [&] {
    std::string text;
    for (int i = 0; i < 6; ++i)
      text += static_cast<char>('a' + random() % 26);
    return text;
  };
  EXPECT_EQ(after(60, "/home"), "/home");
  const auto scan = [&] {
    for (const auto& path : {"/" + word(), "/" + word() + "/" + word(), "/api/{" + word() + "}"})
      route("shop", path);
  };
  for (int i = 0; i < 5'000; ++i)
    scan();
  for (int i = 0; i < 5'000; ++i) {
    route("shop", "/late/17");
    if (i % 10 == 0) scan();
  }
  EXPECT_EQ(route("shop", "/late/18"), "/late/{id}");
  EXPECT_EQ(route("shop", "/home"), "/home") << "what was earned stays";
}

TEST_F(Routes, BracesOfClientsAreWords) {
  for (int i = 0; i < 100; ++i)
    for (char c = 'a'; c <= 'z'; ++c)
      route("shop", "/api/{" + std::string(1, c) + "}");
  EXPECT_EQ(route("shop", "/api/{other}"), "/api/{name}");
}

TEST_F(Routes, IdleServicesMakeRoom) {
  for (std::size_t i = 0; i < RouteTable::kMostServices; ++i)
    route("s" + std::to_string(i), "/a");
  const auto* const kept = table.route_of("s0", "/a", false);
  EXPECT_EQ(kept, nullptr);
  EXPECT_EQ(after(60, "/a", "s1"), "/a");
  const auto* const text = table.route_of("s1", "/a", false);
  EXPECT_EQ(after(60, "/a", "late"), "") << "no place yet";
  for (std::uint64_t i = 0; i <= RouteTable::kIdleWindows; ++i) {
    route("s2", "/a");
    table.close_window();
  }
  EXPECT_EQ(after(60, "/a", "late"), "/a");
  EXPECT_EQ(*text, "/a") << "exchanges may point to it";
}

TEST_F(Routes, OfAClientOnlyPatternsOfAllServicesAreIgnored) {
  const auto admits = [this](Role role, const char* path) {
    Exchange exchange;
    exchange.role = role;
    exchange.operation.convention = Convention::kHttp;
    exchange.operation.name.assign(path);
    return table.admit("shop", exchange);
  };
  EXPECT_FALSE(admits(Role::kServer, "/internal/debug"));
  EXPECT_TRUE(admits(Role::kClient, "/internal/debug")) << "of whom it asks, not the shop's";
  EXPECT_FALSE(admits(Role::kClient, "/healthz"));
}

TEST_F(Routes, WhatIsNoPathHasNone) {
  for (const auto* path : {"", "*", "host:443"})
    EXPECT_EQ(after(100, path), "") << path;
  EXPECT_EQ(after(100, "/"), "/");
}

TEST(NoRoutes, NeedNoAsking) {
  EXPECT_TRUE(RouteTable({}).empty());
  EXPECT_FALSE(RouteTable({.learn = true}).empty());
}

}  // namespace
}  // namespace exa
