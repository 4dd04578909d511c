#include "agent/config/route_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace exa {
namespace {

using ::testing::HasSubstr;

TEST(RouteText, IsReadAndPrintedAsItWas) {
  for (const auto* text : {"/", "/orders/{id}", "/static/*", "/*", "service=shop /orders/{id}/",
                           "/a.b/c~d/%20", "service=ns/shop /x"}) {
    const auto pattern = parse_route_pattern(text);
    ASSERT_TRUE(pattern) << text << ": " << pattern.error().text;
    EXPECT_EQ(route_pattern_text(*pattern), text);
  }
}

TEST(RouteText, SaysWhatIsWrong) {
  const auto error = [](std::string_view text) {
    const auto pattern = parse_route_pattern(text);
    return pattern ? std::string("none") : pattern.error().text;
  };
  EXPECT_THAT(error(""), HasSubstr("is not a route such as /orders/{id}"));
  EXPECT_THAT(error("orders"), HasSubstr("is not a route such as"));
  EXPECT_THAT(error("service= /x"), HasSubstr("names no service"));
  EXPECT_THAT(error("service=shop"), HasSubstr("is not a route such as"));
  EXPECT_THAT(error("/a/*/b"), HasSubstr("must be the last segment"));
  EXPECT_THAT(error("/a/{}"), HasSubstr("neither text, nor {name}"));
  EXPECT_THAT(error("/a/{id"), HasSubstr("neither text, nor {name}"));
  EXPECT_THAT(error("/a/x{id}"), HasSubstr("neither text, nor {name}"));
  EXPECT_THAT(error("/a?x=1"), HasSubstr("neither text, nor {name}"));
  EXPECT_THAT(error("/a b"), HasSubstr("neither text, nor {name}"));
  EXPECT_THAT(error("/" + std::string(101, 'a')), HasSubstr("longer than 101 bytes"));
}

}  // namespace
}  // namespace exa
