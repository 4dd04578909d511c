#include "agent/capture/target_message.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace exa {
namespace {

Target shop() {
  auto resource = std::make_shared<Resource>();
  resource->attributes = {{"service.name", std::string("shop")},
                          {"process.pid", std::int64_t{4'242}},
                          {"load", 0.5},
                          {"container", true}};
  return {.process = {4'242, 987'654'321},
          .observed = false,
          .service_name = "shop",
          .name_chosen = true,
          .provisional = true,
          .resource = std::move(resource)};
}

TEST(TargetMessage, ReadsBackWhatWasWritten) {
  const auto target = decode_target(encode_target(shop()));
  ASSERT_TRUE(target);
  EXPECT_EQ(target->process, (ProcessIdentity{4'242, 987'654'321}));
  EXPECT_FALSE(target->observed);
  EXPECT_EQ(target->service_name, "shop");
  EXPECT_TRUE(target->name_chosen);
  EXPECT_TRUE(target->provisional);
  EXPECT_EQ(target->resource->attributes, shop().resource->attributes);
}

TEST(TargetMessage, ATargetWithoutResourceHasNoAttributes) {
  const auto target =
      decode_target(encode_target({.process = {1, 2}, .service_name = "x", .resource = nullptr}));
  ASSERT_TRUE(target);
  EXPECT_TRUE(target->observed);
  EXPECT_FALSE(target->name_chosen);
  EXPECT_FALSE(target->provisional);
  EXPECT_TRUE(target->resource->attributes.empty());
}

TEST(TargetMessage, AttributesThatDoNotFitAreLeftOutLastFirst) {
  auto target = shop();
  auto resource = std::make_shared<Resource>();
  for (int i = 0; i < 100; ++i)
    resource->attributes.push_back({"key" + std::to_string(i), std::string(90, 'v')});
  target.resource = resource;
  const auto decoded = decode_target(encode_target(target));
  ASSERT_TRUE(decoded);
  const auto kept = decoded->resource->attributes.size();
  EXPECT_GT(kept, 35u);
  EXPECT_LT(kept, 45u);
  for (std::size_t i = 0; i < kept; ++i)
    EXPECT_EQ(decoded->resource->attributes[i], resource->attributes[i]);
}

TEST(TargetMessage, RefusesEveryTruncation) {
  const auto message = encode_target(shop());
  std::size_t used = message.size();
  while (message[used - 1] == std::byte{0})
    --used;
  for (std::size_t size = 0; size < used; ++size) {
    const std::vector<std::byte> cut(message.begin(),
                                     message.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(decode_target(cut)) << size;
  }
}

TEST(TargetMessage, KnowsWhatItIsAboutAndWhetherItWasDecided) {
  auto target = shop();
  target.as_of = {77};
  target.undecided = true;
  const auto decoded = decode_target(encode_target(target));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->as_of, MonotonicTime{77});
  EXPECT_TRUE(decoded->undecided);
}

TEST(TargetMessage, ReadsRecordingsThatDoNotSayAsOfWhen) {
  const auto now = encode_target(shop());
  constexpr std::ptrdiff_t kFlagsEnd = 4 + 4 + 8 + 1;
  std::vector<std::byte> before(now.begin(), now.begin() + kFlagsEnd);
  before.insert(before.end(), now.begin() + kFlagsEnd + 8, now.end());
  before[0] = std::byte{1};
  const auto decoded = decode_target(before);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->service_name, "shop");
  EXPECT_FALSE(decoded->as_of.known());
}

TEST(TargetMessage, RefusesOtherVersions) {
  auto message = encode_target(shop());
  message[0] = std::byte{3};
  EXPECT_FALSE(decode_target(message));
  EXPECT_FALSE(decode_target(TargetMessage{}));
}

}  // namespace
}  // namespace exa
