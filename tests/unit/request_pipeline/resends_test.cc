#include "agent/request_pipeline/resends.h"

#include <gtest/gtest.h>

namespace exa {
namespace {

Exchange answered(SocketId socket, std::uint64_t ns) {
  Exchange exchange;
  exchange.role = Role::kServer;
  exchange.socket = socket;
  exchange.last_response = {ns};
  return exchange;
}

TEST(Resends, AreOfTheAnswerThatEndedWithTheLastByte) {
  Resends resends;
  EXPECT_EQ(resends.of(answered(7, 100)).times, 0u);
  resends.note({.socket = 7, .time = {300}, .last_byte = {100}});
  EXPECT_EQ(resends.of(answered(7, 100)).after, Duration(200));
  EXPECT_EQ(resends.of(answered(7, 99)).times, 0u) << "an earlier one";
  EXPECT_EQ(resends.of(answered(8, 100)).times, 0u);
  auto client = answered(7, 100);
  client.role = Role::kClient;
  EXPECT_EQ(resends.of(client).times, 0u);
  resends.note({.socket = 7, .time = {700}, .last_byte = {100}});
  EXPECT_EQ(resends.of(answered(7, 100)).after, Duration(600)) << "and again";
  EXPECT_EQ(resends.of(answered(7, 100)).times, 2u);
  resends.note({.socket = 7, .time = {900}, .last_byte = {800}});
  EXPECT_EQ(resends.of(answered(7, 800)).times, 1u) << "of another answer";
}

TEST(Resends, BeforeTheLastByteAreInTheAccount) {
  Resends resends;
  resends.note({.socket = 7, .time = {90}, .last_byte = {100}});
  EXPECT_EQ(resends.of(answered(7, 100)).times, 0u);
}

TEST(Resends, LoseTheirPlaceToLaterOnes) {
  Resends resends;
  resends.note({.socket = 7, .time = {300}, .last_byte = {100}});
  resends.note({.socket = 7 + 1'024, .time = {300}, .last_byte = {100}});
  EXPECT_EQ(resends.of(answered(7, 100)).times, 0u);
  EXPECT_EQ(resends.of(answered(7 + 1'024, 100)).after, Duration(200));
}

}  // namespace
}  // namespace exa
