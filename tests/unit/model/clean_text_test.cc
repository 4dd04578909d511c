#include "agent/model/clean_text.h"

#include <gmock/gmock.h>

#include <string>

namespace exa {
namespace {

using namespace std::string_literals;

TEST(CleanText, KeepsUtf8AndReplacesTheRest) {
  EXPECT_EQ(clean_text("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", 100),
            "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
  EXPECT_EQ(clean_text("a\nb\x1b\x7f\xff\xc0\x80"s, 100), "a?b?????");
  EXPECT_EQ(clean_text("\xed\xa0\x80\xf4\x90\x80\x80\xc3", 100), "????????");
  EXPECT_EQ(clean_text("\xe2\x82\xac\xe2\x82\xac", 5), "\xe2\x82\xac");
  EXPECT_EQ(clean_text("x\0y"s, 100), "x?y");
}

}  // namespace
}  // namespace exa
