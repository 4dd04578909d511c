// Attributes by key, and any value as text.
#include "exa/model/attribute.h"

#include <gtest/gtest.h>

namespace exa {
namespace {

TEST(Attributes, AValueOfAnyTypeAsText) {
  EXPECT_EQ(attribute_text("GET"), "GET");
  EXPECT_EQ(attribute_text(INT64_MIN), "-9223372036854775808");
  EXPECT_EQ(attribute_text(true), "true");
  EXPECT_EQ(attribute_text(false), "false");
  EXPECT_EQ(attribute_text(0.1), "0.1");
  EXPECT_EQ(attribute_text(-2.2250738585072014e-308), "-2.2250738585072014e-308");
}

TEST(Attributes, AreFoundByTheirKey) {
  const Attributes attributes = {{"service.name", "shop"}, {"process.pid", std::int64_t{42}}};
  EXPECT_EQ(attribute_text(attributes, "service.name"), "shop");
  EXPECT_EQ(attribute_text(attributes, "process.pid"), "42");
  EXPECT_EQ(attribute_text(attributes, "service"), "");
  EXPECT_TRUE(has_attribute(attributes, "process.pid"));
  EXPECT_FALSE(has_attribute(attributes, "process.pi"));
}

TEST(Attributes, AreSetOnceAndReplacedInPlace) {
  Attributes attributes = {{"a", std::int64_t{1}}, {"b", "x"}};
  set_attribute(attributes, "a", "2");
  set_attribute(attributes, "c", "y");
  set_attribute(attributes, "b", "");
  set_attribute(attributes, "d", "");
  EXPECT_EQ(attributes, (Attributes{{"a", "2"}, {"b", "x"}, {"c", "y"}}));
}

TEST(Attributes, WhatIsThereMayBeKept) {
  Attributes attributes = {{"a", "1"}};
  set_attribute_if_absent(attributes, "a", "2");
  set_attribute_if_absent(attributes, "b", "3");
  set_attribute_if_absent(attributes, "c", "");
  EXPECT_EQ(attributes, (Attributes{{"a", "1"}, {"b", "3"}}));
}

}  // namespace
}  // namespace exa
