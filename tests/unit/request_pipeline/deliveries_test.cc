#include "agent/request_pipeline/deliveries.h"

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

TEST(Deliveries, AreOfTheAnswerThatEndedWithTheLastByte) {
  Deliveries deliveries;
  EXPECT_EQ(deliveries.of(answered(7, 100)).sent_again, 0u);
  deliveries.note(ResendEvent{.socket = 7, .time = {300}, .last_byte = {100}});
  EXPECT_EQ(deliveries.of(answered(7, 100)).sent_again_after, Duration(200));
  EXPECT_EQ(deliveries.of(answered(7, 99)).sent_again, 0u) << "an earlier one";
  EXPECT_EQ(deliveries.of(answered(8, 100)).sent_again, 0u);
  auto client = answered(7, 100);
  client.role = Role::kClient;
  EXPECT_EQ(deliveries.of(client).sent_again, 0u);
  deliveries.note(ResendEvent{.socket = 7, .time = {700}, .last_byte = {100}});
  EXPECT_EQ(deliveries.of(answered(7, 100)).sent_again_after, Duration(600)) << "and again";
  EXPECT_EQ(deliveries.of(answered(7, 100)).sent_again, 2u);
  deliveries.note(ResendEvent{.socket = 7, .time = {900}, .last_byte = {800}});
  EXPECT_EQ(deliveries.of(answered(7, 800)).sent_again, 1u) << "of another answer";
}

TEST(Deliveries, AreAcknowledged) {
  Deliveries deliveries;
  deliveries.note(DeliveredEvent{.socket = 7, .time = {300}, .last_byte = {100}});
  EXPECT_EQ(deliveries.of(answered(7, 100)).acknowledged_after, Duration(200));
  EXPECT_EQ(deliveries.of(answered(7, 100)).sent_again, 0u);
  EXPECT_EQ(deliveries.of(answered(7, 99)).acknowledged_after, Duration::zero());
}

TEST(Deliveries, AreAcknowledgedAfterPartsWereSentAgain) {
  Deliveries deliveries;
  deliveries.note(ResendEvent{.socket = 7, .time = {300}, .last_byte = {100}});
  deliveries.note(DeliveredEvent{.socket = 7, .time = {400}, .last_byte = {100}});
  const auto delivery = deliveries.of(answered(7, 100));
  EXPECT_EQ(delivery.sent_again_after, Duration(200));
  EXPECT_EQ(delivery.acknowledged_after, Duration(300));
}

TEST(Deliveries, BeforeTheLastByteAreInTheAccount) {
  Deliveries deliveries;
  deliveries.note(ResendEvent{.socket = 7, .time = {90}, .last_byte = {100}});
  EXPECT_EQ(deliveries.of(answered(7, 100)).sent_again, 0u);
}

TEST(Deliveries, LoseTheirPlaceToLaterOnes) {
  Deliveries deliveries;
  deliveries.note(ResendEvent{.socket = 7, .time = {300}, .last_byte = {100}});
  deliveries.note(ResendEvent{.socket = 7 + 1'024, .time = {300}, .last_byte = {100}});
  EXPECT_EQ(deliveries.of(answered(7, 100)).sent_again, 0u);
  EXPECT_EQ(deliveries.of(answered(7 + 1'024, 100)).sent_again_after, Duration(200));
}

}  // namespace
}  // namespace exa
