#include "agent/discovery/process_words.h"

#include <gtest/gtest.h>

namespace exa {
namespace {

const ProcessWords kWords{
    .environment = {.service_name = "shop", .resource_attributes = "team=a,region=eu"},
    .program = {.name = "app", .folder = "./shop", .of_parent = true}};

TEST(ProcessWords, ArriveAsTheyWere) {
  EXPECT_EQ(decode_words(encode_words(kWords)), kWords);
  EXPECT_EQ(decode_words(encode_words({})), ProcessWords{});
}

TEST(ProcessWords, AWordOverTheBoundIsLeftOut) {
  auto words = kWords;
  words.environment.resource_attributes = std::string(kMaxWordBytes + 1, 'x');
  const auto decoded = decode_words(encode_words(words));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->environment.resource_attributes, "");
  EXPECT_EQ(decoded->environment.service_name, "shop");
}

TEST(ProcessWords, NothingShorterOrLongerIsBelieved) {
  const auto whole = encode_words(kWords);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(decode_words(std::span(whole).first(size))) << size;
  auto longer = whole;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(decode_words(longer));
}

}  // namespace
}  // namespace exa
