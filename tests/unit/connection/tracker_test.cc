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

TEST_F(Tracker, ReadsTheContextsOfThePropagatorsItIsGiven) {
  constexpr std::string_view kRequest =
      "GET / HTTP/1.1\r\nHost: a\r\nX-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793\r\n"
      "b3: 463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-1\r\n"
      "tracestate: ot=rv:0000000000abcd\r\n\r\n";
  wire.reads(kRequest);
  wire.writes(kOk);
  EXPECT_FALSE(only().has_context) << "only W3C's are read unless others are asked for";
  EXPECT_EQ(count(Counter::kContextAccepted) + count(Counter::kContextInvalid), 0u);

  testing::CollectingSink others;
  Counters their_counters;
  ConnectionTracker asked(others, their_counters, protocols(),
                          {.propagators = {Propagator::kW3c, Propagator::kXray, Propagator::kB3}});
  testing::Wire other(asked);
  other.reads(kRequest);
  other.writes(kOk);
  ASSERT_EQ(others.exchanges.size(), 1u);
  const auto& exchange = others.exchanges.front();
  EXPECT_TRUE(exchange.has_context);
  EXPECT_EQ(to_hex(exchange.trace_id), "463ac35c9f6413ad48485a3953bb6124");
  EXPECT_EQ(to_hex(exchange.parent_span_id), "a2fb4a1d1a96d312");
  EXPECT_EQ(exchange.trace_flags, kTraceSampled);
  EXPECT_FALSE(exchange.has_incoming_rv) << "the state is of a context that is not there";
  EXPECT_EQ(their_counters.get(Counter::kContextAccepted), 1u);
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
