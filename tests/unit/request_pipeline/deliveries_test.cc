#include "agent/request_pipeline/deliveries.h"

#include <gtest/gtest.h>

namespace exa {
namespace {

AnswerEvent sent_again(SocketId socket, std::uint64_t ns, std::uint64_t last_byte_ns) {
  return {.kind = AnswerEvent::Kind::kSentAgain,
          .socket = socket,
          .time = {ns},
          .last_byte = {last_byte_ns}};
}

AnswerEvent acknowledged(SocketId socket, std::uint64_t ns, std::uint64_t last_byte_ns) {
  auto event = sent_again(socket, ns, last_byte_ns);
  event.kind = AnswerEvent::Kind::kAcknowledged;
  return event;
}

Exchange answered(SocketId socket, std::uint64_t ns) {
  Exchange exchange;
  exchange.role = Role::kServer;
  exchange.socket = socket;
  exchange.last_response = {ns};
  return exchange;
}

class NotedDeliveries : public testing::Test {
 protected:
  Counters counters;
  Deliveries deliveries{counters};
};

TEST_F(NotedDeliveries, AreOfTheAnswerThatEndedWithTheLastByte) {
  EXPECT_EQ(deliveries.of(answered(7, 100)).sent_again, 0u);
  deliveries.note(sent_again(7, 300, 100));
  EXPECT_EQ(deliveries.of(answered(7, 100)).sent_again_after, Duration(200));
  EXPECT_EQ(deliveries.of(answered(7, 99)).sent_again, 0u) << "an earlier one";
  EXPECT_EQ(deliveries.of(answered(8, 100)).sent_again, 0u);
  auto client = answered(7, 100);
  client.role = Role::kClient;
  EXPECT_EQ(deliveries.of(client).sent_again, 0u);
  deliveries.note(sent_again(7, 700, 100));
  EXPECT_EQ(deliveries.of(answered(7, 100)).sent_again_after, Duration(600)) << "and again";
  EXPECT_EQ(deliveries.of(answered(7, 100)).sent_again, 2u);
  deliveries.note(sent_again(7, 900, 800));
  EXPECT_EQ(deliveries.of(answered(7, 800)).sent_again, 1u) << "of another answer";
  EXPECT_EQ(deliveries.of(answered(7, 100)).sent_again, 2u) << "which takes nothing from this one";
}

TEST_F(NotedDeliveries, AreAcknowledged) {
  deliveries.note(acknowledged(7, 300, 100));
  EXPECT_EQ(deliveries.of(answered(7, 100)).acknowledged_after, Duration(200));
  EXPECT_EQ(deliveries.of(answered(7, 100)).sent_again, 0u);
  EXPECT_EQ(deliveries.of(answered(7, 99)).acknowledged_after, Duration::zero());
}

TEST_F(NotedDeliveries, AreAcknowledgedAfterPartsWereSentAgain) {
  deliveries.note(sent_again(7, 300, 100));
  deliveries.note(acknowledged(7, 400, 100));
  const auto delivery = deliveries.of(answered(7, 100));
  EXPECT_EQ(delivery.sent_again_after, Duration(200));
  EXPECT_EQ(delivery.acknowledged_after, Duration(300));
}

TEST_F(NotedDeliveries, BeforeTheLastByteAreInTheAccount) {
  deliveries.note(sent_again(7, 90, 100));
  EXPECT_EQ(deliveries.of(answered(7, 100)).sent_again, 0u);
}

TEST_F(NotedDeliveries, OfMoreAnswersThanPlacesSomeAreLost) {
  deliveries.begin_window({.ns = 50});
  for (SocketId socket = 1; socket <= 5'000; ++socket)
    deliveries.note(sent_again(socket, 300, 100));
  std::size_t known = 0;
  for (SocketId socket = 1; socket <= 5'000; ++socket)
    known += deliveries.of(answered(socket, 100)).sent_again;
  EXPECT_GT(known, 900u) << "as good as every place is in use";
  EXPECT_EQ(counters.get(Counter::kDeliveriesOverwritten), 5'000 - known);
}

TEST_F(NotedDeliveries, OfEarlierWindowsAreNoLoss) {
  for (SocketId socket = 1; socket <= 5'000; ++socket)
    deliveries.note(sent_again(socket, 300, 100));
  const auto before = counters.get(Counter::kDeliveriesOverwritten);
  deliveries.begin_window({.ns = 500});
  deliveries.note(sent_again(7, 700, 600));
  for (SocketId socket = 1; socket <= 20; ++socket)
    deliveries.note(sent_again(socket, 300, 101));
  EXPECT_EQ(counters.get(Counter::kDeliveriesOverwritten), before);
}

}  // namespace
}  // namespace exa
