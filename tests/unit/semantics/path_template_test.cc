#include "agent/semantics/path_template.h"

#include <gtest/gtest.h>

namespace exa {
namespace {

TEST(PathTemplate, ReplacesWhatNamesOneThingAmongMany) {
  EXPECT_EQ(path_template("/users/4711", false), "/users/{id}");
  EXPECT_EQ(path_template("/users/4711/orders/2024-05-01", false), "/users/{id}/orders/{date}");
  EXPECT_EQ(path_template("/o/3f2b8c1e-9d4a-4e6f-8b7a-1c2d3e4f5a6b/x", false), "/o/{id}/x");
  EXPECT_EQ(path_template("/blob/deadbeef01", false), "/blob/{id}");
  EXPECT_EQ(path_template("/invoice-20240017", false), "/{id}");
  EXPECT_EQ(path_template("/t/eyJhbGciOiJIUzI1NiJ9abc123DEF456", false), "/t/{token}");
}

TEST(PathTemplate, BracesThatWereSentAreNoPlaceholder) {
  EXPECT_EQ(path_template("/api/{id}/{", false), "/api/%7Bid%7D/%7B");
}

TEST(PathTemplate, KeepsWords) {
  EXPECT_EQ(path_template("/", false), "/");
  EXPECT_EQ(path_template("/api/v1/checkout", false), "/api/v1/checkout");
  EXPECT_EQ(path_template("/oauth2/authorize", false), "/oauth2/authorize");
  EXPECT_EQ(path_template("/a-very-long-title-of-a-post", false), "/a-very-long-title-of-a-post");
  EXPECT_EQ(path_template("*", false), "*");
  EXPECT_EQ(path_template("", false), "");
}

TEST(PathTemplate, IsBoundedAndDoesNotGuessCutSegments) {
  EXPECT_EQ(path_template("/1/2/3/4/5/6/7/8/9/10", false),
            "/{id}/{id}/{id}/{id}/{id}/{id}/{id}/{id}/{rest}");
  EXPECT_EQ(path_template("/files/repor", true), "/files/{rest}");
}

TEST(PresentablePath, TakesCredentialsOut) {
  EXPECT_EQ(presentable_path("/users/4711"), "/users/4711");
  EXPECT_EQ(presentable_path("/reset/eyJhbGciOiJIUzI1NiJ9abc123DEF456/x"), "/reset/{token}/x");
  EXPECT_EQ(presentable_path("/cart;jsessionid=A1B2C3D4/items"), "/cart/items");
}

TEST(PresentablePath, IsValidTextForAnyBytes) {
  EXPECT_EQ(presentable_path("/a\xff\n\"b"), "/a%FF%0A\"b");
  EXPECT_EQ(presentable_path(std::string_view("/\0", 2)), "/%00");
}

}  // namespace
}  // namespace exa
