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
  EXPECT_EQ(resends.after(answered(7, 100)), Duration::zero());
  resends.note({.socket = 7, .time = {300}, .last_byte = {100}});
  EXPECT_EQ(resends.after(answered(7, 100)), Duration(200));
  EXPECT_EQ(resends.after(answered(7, 99)), Duration::zero()) << "an earlier one";
  EXPECT_EQ(resends.after(answered(8, 100)), Duration::zero());
  auto client = answered(7, 100);
  client.role = Role::kClient;
  EXPECT_EQ(resends.after(client), Duration::zero());
  resends.note({.socket = 7, .time = {700}, .last_byte = {100}});
  EXPECT_EQ(resends.after(answered(7, 100)), Duration(600)) << "and again";
}

TEST(Resends, BeforeTheLastByteAreInTheAccount) {
  Resends resends;
  resends.note({.socket = 7, .time = {90}, .last_byte = {100}});
  EXPECT_EQ(resends.after(answered(7, 100)), Duration::zero());
}

TEST(Resends, LoseTheirPlaceToLaterOnes) {
  Resends resends;
  resends.note({.socket = 7, .time = {300}, .last_byte = {100}});
  resends.note({.socket = 7 + 1'024, .time = {300}, .last_byte = {100}});
  EXPECT_EQ(resends.after(answered(7, 100)), Duration::zero());
  EXPECT_EQ(resends.after(answered(7 + 1'024, 100)), Duration(200));
}

}  // namespace
}  // namespace exa
