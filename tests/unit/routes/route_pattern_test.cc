#include "agent/routes/route_pattern.h"

#include <gtest/gtest.h>

namespace exa {
namespace {

bool matches(std::string_view pattern, std::string_view path) {
  return matches_route(pattern, path, false);
}
bool matches_cut(std::string_view pattern, std::string_view path) {
  return matches_route(pattern, path, true);
}

TEST(RoutePattern, MatchesSegmentBySegment) {
  EXPECT_TRUE(matches("/", "/"));
  EXPECT_TRUE(matches("/orders", "/orders"));
  EXPECT_TRUE(matches("/orders/{id}", "/orders/4711"));
  EXPECT_TRUE(matches("/orders/{id}/items/{item}", "/orders/4711/items/a%20b"));
  EXPECT_FALSE(matches("/orders", "/orders/4711"));
  EXPECT_FALSE(matches("/orders/{id}", "/orders"));
  EXPECT_FALSE(matches("/orders/{id}", "/orders/4711/items"));
  EXPECT_FALSE(matches("/orders/{id}", "/order/4711"));
  EXPECT_FALSE(matches("/orders", "/Orders")) << "paths tell case apart";
  EXPECT_FALSE(matches("/", "/orders"));
}

TEST(RoutePattern, ASlashAtTheEndMakesAnotherPath) {
  EXPECT_FALSE(matches("/orders", "/orders/"));
  EXPECT_TRUE(matches("/orders/", "/orders/"));
  EXPECT_FALSE(matches("/orders/{id}", "/orders/")) << "a name stands for something";
  EXPECT_FALSE(matches("/orders/{id}", "//"));
}

TEST(RoutePattern, AStarStandsForAllThatFollows) {
  EXPECT_TRUE(matches("/static/*", "/static/"));
  EXPECT_TRUE(matches("/static/*", "/static/js/app.js"));
  EXPECT_TRUE(matches("/*", "/whatever/there/is"));
  EXPECT_FALSE(matches("/static/*", "/static")) << "as routers have it";
  EXPECT_FALSE(matches("/static/*", "/statics/app.js"));
}

TEST(RoutePattern, OfACutPathOnlyAStarCoversTheRest) {
  EXPECT_FALSE(matches_cut("/orders/{id}", "/orders/47"));
  EXPECT_FALSE(matches_cut("/orders", "/orders"));
  EXPECT_TRUE(matches_cut("/static/*", "/static/js/a"));
  EXPECT_FALSE(matches_cut("/static/js/*", "/static/j"));
}

TEST(RoutePattern, WhatIsNoPathMatchesNothing) {
  for (const auto* path : {"", "*", "orders", "http://shop/orders"})
    EXPECT_FALSE(matches("/*", path)) << path;
}

}  // namespace
}  // namespace exa
