#include "agent/connection/request_origin.h"

#include <gtest/gtest.h>

namespace exa {
namespace {

Exchange origin_of(Role role, MonotonicTime arrival) {
  Connection connection;
  connection.id = 1;
  connection.role = role;
  connection.tls = true;
  connection.tgid = 2;
  Exchange exchange;
  take_origin(exchange, connection, {.time = {100}, .arrival = arrival, .sequence = 3, .tgid = 0});
  return exchange;
}

TEST(RequestOrigin, IsThatOfTheConnectionAndOfTheFirstByte) {
  const auto exchange = origin_of(Role::kServer, {90});
  EXPECT_EQ(exchange.socket, 1u);
  EXPECT_EQ(exchange.tgid, 2u);
  EXPECT_EQ(exchange.request_sequence, 3u);
  EXPECT_EQ(exchange.read.ns, 100u);
  EXPECT_TRUE(exchange.tls);
}

TEST(RequestOrigin, ArrivalBelongsToServersAndNeverFollowsTheRead) {
  EXPECT_EQ(origin_of(Role::kServer, {90}).arrival.ns, 90u);
  EXPECT_FALSE(origin_of(Role::kClient, {90}).arrival.known());
  EXPECT_FALSE(origin_of(Role::kServer, {101}).arrival.known());
}

TEST(RequestOrigin, TheFirstRequestOfAClientHasTheTimeOfItsConnection) {
  Connection connection;
  connection.role = Role::kClient;
  connection.connect_us = 70;
  Exchange first;
  Exchange second;
  take_origin(first, connection, {});
  take_origin(second, connection, {});
  EXPECT_EQ(first.account.before.connect_us, 70u);
  EXPECT_EQ(second.account.before.connect_us, 0u);
}

}  // namespace
}  // namespace exa
