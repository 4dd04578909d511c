#include "agent/connection/tracker.h"

#include "tests/unit/connection/tracker_fixture.h"

namespace exa {
namespace {

using ::testing::IsEmpty;

class Tracker : public testing::TrackerFixture {};

TEST_F(Tracker, ServerExchangeHasEveryField) {
  wire.socket();  // 1001 ms
  wire.reads(
      "POST /cart?id=1 HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 3\r\n"
      "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
      "tracestate: ot=rv:0000000000abcd\r\n\r\nabc");             // 1002 ms
  wire.writes("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\n");  // 1003 ms
  EXPECT_THAT(sink.exchanges, IsEmpty());
  wire.writes("nope");  // 1004 ms

  const auto exchange = only();
  EXPECT_EQ(exchange.socket, 7u);
  EXPECT_EQ(exchange.tgid, 42u);
  EXPECT_EQ(address_text(exchange.local), "127.0.0.1");
  EXPECT_EQ(exchange.remote.port, 40'000);
  EXPECT_EQ(exchange.role, Role::kServer);
  EXPECT_EQ(exchange.protocol_version, ProtocolVersion::k11);
  EXPECT_EQ(exchange.outcome, Outcome::kComplete);
  EXPECT_EQ(exchange.operation.method, Method::kPost);
  EXPECT_EQ(exchange.operation.status, 503);
  EXPECT_EQ(exchange.operation.name.view(), "/cart");
  EXPECT_EQ(exchange.host.view(), "shop.example");
  EXPECT_EQ(exchange.read, testing::ms(1002));
  EXPECT_EQ(exchange.arrival.ns, testing::ms(1002).ns - 300'000);
  EXPECT_EQ(exchange.first_response, testing::ms(1003));
  EXPECT_EQ(exchange.last_response, testing::ms(1004));
  EXPECT_EQ(exchange.request_sequence, 1'000u);
  EXPECT_EQ(exchange.request_body_bytes, 3u);
  EXPECT_EQ(exchange.response_body_bytes, 4u);
  EXPECT_TRUE(exchange.has_context);
  EXPECT_EQ(to_hex(exchange.trace_id), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(to_hex(exchange.parent_span_id), "b7ad6b7169203331");
  EXPECT_EQ(exchange.trace_flags, 1);
  EXPECT_TRUE(exchange.has_incoming_rv);
  EXPECT_EQ(exchange.randomness, 0xabcdu);
  EXPECT_EQ(count(Counter::kContextAccepted), 1u);
}

TEST_F(Tracker, AddressesMayComeAfterTheRequest) {
  wire.writes(kGet);
  wire.socket();
  wire.reads(kOk);

  const auto exchange = only();
  EXPECT_EQ(exchange.role, Role::kClient);
  EXPECT_EQ(exchange.local.port, 8080);
  EXPECT_EQ(exchange.remote.port, 40'000);
}

TEST_F(Tracker, AddressesThatNeverComeStayUnknown) {
  wire.writes(kGet);
  wire.reads(kOk);
  EXPECT_EQ(only().remote.port, 0);
}

TEST_F(Tracker, ClientRoleComesFromAnEgressRequest) {
  wire.socket();
  wire.writes(kGet);
  wire.reads(kOk);

  const auto exchange = only();
  EXPECT_EQ(exchange.role, Role::kClient);
  EXPECT_FALSE(exchange.arrival.known());
  EXPECT_EQ(exchange.read, testing::ms(1002));
  EXPECT_EQ(exchange.duration(), std::chrono::milliseconds(1));
}

}  // namespace
}  // namespace exa
