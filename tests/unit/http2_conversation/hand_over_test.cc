// A connection that outlives an agent: the next one knows its tables, if nothing went by between.
#include <string>

#include "tests/unit/http2_conversation/talk_fixture.h"

namespace exa::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Http2HandOver : public Http2Talk {
 protected:
  // Of stream 1; from then on path, type and status are in the tables.
  void call() {
    wire.begins();
    wire.client(headers(1,
                        indexed(3) + indexed(6) + indexing(":path", "/shop.Cart/Add") +
                            indexing("content-type", "application/grpc") +
                            indexing("x-token", "abcdef"),
                        kEndStream));
    wire.server(headers(1, indexed(8)) + data(1, 5) +
                headers(1, indexing("grpc-status", "0"), kEndStream));
    EXPECT_EQ(only().operation.name.view(), "/shop.Cart/Add");
    ok = only().operation.status;
    EXPECT_NE(ok, 0);
  }
  static std::string same_call(std::uint32_t stream) {
    return headers(stream, indexed(3) + indexed(6) + indexed(64) + indexed(63) + indexed(62),
                   kEndStream);
  }
  static std::string same_answer(std::uint32_t stream) {
    return headers(stream, indexed(8)) + data(stream, 5) + headers(stream, indexed(62), kEndStream);
  }
  void hand_over() {
    next.take_over(HandedOver::from_text(tracker.hand_over().to_text(wire.now()), wire.now()));
    next_wire.joins();
    next_wire.before_us = wire.positions();
  }
  void TearDown() override {
    Http2Talk::TearDown();
    next_wire.is_over();
    EXPECT_EQ(next.open_exchanges().size(), 0u);
  }

  std::uint16_t ok = 0;
  CollectingSink next_sink;
  Counters next_counters;
  ConnectionTracker next{next_sink, next_counters, protocols()};
  TalkWire next_wire{next, true};
};

TEST_F(Http2HandOver, TheNextAgentKnowsWhatTheLastOneKnew) {
  call();
  hand_over();
  next_wire.client(same_call(3));
  next_wire.server(same_answer(3));
  ASSERT_EQ(next_sink.total, 1u);
  const auto& exchange = next_sink.exchanges[0];
  EXPECT_EQ(exchange.operation.name.view(), "/shop.Cart/Add");
  EXPECT_EQ(exchange.operation.convention, Convention::kRpc);
  EXPECT_EQ(exchange.operation.status, ok);
}

TEST_F(Http2HandOver, ADirectionThatMovedOnIsNotKnown) {
  call();
  hand_over();
  next_wire.before_us[0] += 17;
  next_wire.client(same_call(3));
  next_wire.server(same_answer(3));
  ASSERT_EQ(next_sink.total, 1u);
  EXPECT_TRUE(next_sink.exchanges[0].operation.name.view().empty());
  EXPECT_EQ(next_sink.exchanges[0].operation.status, ok) << "the other one did not";
}

// A ping tells of no message, and has no record: sweeps say how far a direction has come.
TEST_F(Http2HandOver, BytesWithoutARecordCount) {
  call();
  const auto ping = frame(EXA_HTTP2_PING, 0, 0, "12345678");
  wire.client(ping);
  hand_over();
  next_wire.client(same_call(3));
  EXPECT_EQ(next_sink.total, 0u);
  next_wire.server(same_answer(3));
  EXPECT_TRUE(next_sink.exchanges[0].operation.name.view().empty()) << "nobody swept";
}

TEST_F(Http2HandOver, ASweepTellsOfThem) {
  call();
  wire.client(frame(EXA_HTTP2_PING, 0, 0, "12345678"));
  wire.position();
  hand_over();
  next_wire.client(same_call(3));
  next_wire.server(same_answer(3));
  EXPECT_EQ(next_sink.exchanges[0].operation.name.view(), "/shop.Cart/Add");
}

TEST_F(Http2HandOver, AConnectionMayBeIdleForAsLongAsOneIsKept) {
  call();
  hand_over();
  next.sweep(wire.now());
  next.sweep(wire.now() + std::chrono::minutes(59));
  next_wire.client(same_call(3));
  next_wire.server(same_answer(3));
  EXPECT_EQ(next_sink.exchanges.at(0).operation.name.view(), "/shop.Cart/Add");
}

TEST_F(Http2HandOver, AndNotForLonger) {
  call();
  hand_over();
  next.sweep(wire.now());
  next.sweep(wire.now() + std::chrono::minutes(61));
  next_wire.client(same_call(3));
  next_wire.server(same_answer(3));
  EXPECT_TRUE(next_sink.exchanges.at(0).operation.name.view().empty());
}

// Nothing went by while the second agent was there.
TEST_F(Http2HandOver, AnyNumberOfAgentsHandItOn) {
  call();
  hand_over();
  ConnectionTracker third{next_sink, next_counters, protocols()};
  third.take_over(HandedOver::from_text(next.hand_over().to_text(wire.now()), wire.now()));
  TalkWire third_wire(third, true);
  third_wire.joins();
  third_wire.before_us = wire.positions();
  third_wire.client(same_call(3));
  third_wire.server(same_answer(3));
  EXPECT_EQ(next_sink.exchanges.at(0).operation.name.view(), "/shop.Cart/Add");
  third_wire.is_over();
}

TEST_F(Http2HandOver, SecretsStayHere) {
  call();
  const auto text = tracker.hand_over().to_text(wire.now());
  EXPECT_THAT(text, HasSubstr("/shop.Cart/Add"));
  EXPECT_THAT(text, HasSubstr("x-token"));
  EXPECT_THAT(text, Not(HasSubstr("abcdef")));
}

TEST_F(Http2HandOver, WhatIsOverOrOverTlsIsNotHandedOver) {
  client_wire.tls = true;
  client_wire.begins();
  call();
  wire.is_over();
  EXPECT_EQ(tracker.hand_over().size(), 0u);
}

TEST_F(Http2HandOver, ADamagedTableIsNone) {
  call();
  HandedOver damaged;
  for (const auto direction : {Direction::kIngress, Direction::kEgress})
    damaged.put(7, direction,
                wire.first_sequence + static_cast<std::uint32_t>(
                                          wire.positions()[static_cast<std::size_t>(direction)]),
                wire.now(), "gibberish");
  hand_over();
  next.take_over(std::move(damaged));
  next_wire.client(same_call(3));
  next_wire.server(same_answer(3));
  ASSERT_EQ(next_sink.total, 1u);
  EXPECT_TRUE(next_sink.exchanges[0].operation.name.view().empty());
}

}  // namespace
}  // namespace exa::testing
