// A connection that begins in HTTP/1 and goes on in HTTP/2.
#include <string>

#include "tests/unit/http2_conversation/talk_fixture.h"

namespace exa::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using http2_frames::kUpgradeAnswer;
using http2_frames::kUpgradeRequest;

class Http2Upgrade : public Http2Talk {
 protected:
  static std::string answer(std::uint32_t stream) {
    return headers(stream, status_block("200") + field("content-length", "5")) +
           data(stream, 5, kEndStream);
  }
  static void client_begins(TalkWire& at) { at.client(std::string(kPreface) + settings()); }
};

TEST_F(Http2Upgrade, TheRequestThatAskedForItIsStreamOne) {
  for (auto* at : {&wire, &client_wire}) {
    at->plain_client(kUpgradeRequest);
    const auto asked = at->now();
    at->server_switches(kUpgradeAnswer, settings());
    EXPECT_EQ(sink.total, at == &wire ? 0u : 2u);
    client_begins(*at);
    at->server(answer(1));
    const auto& exchange = sink.exchanges.back();
    EXPECT_EQ(exchange.operation.name.view(), "/first");
    EXPECT_EQ(exchange.operation.status, 200);
    EXPECT_EQ(exchange.outcome, Outcome::kComplete);
    EXPECT_EQ(exchange.protocol_version, ProtocolVersion::k2);
    EXPECT_EQ(exchange.read, asked);
    EXPECT_EQ(exchange.first_response, at->now());
    EXPECT_EQ(exchange.last_response, at->now());
    EXPECT_EQ(exchange.request_body_bytes, 0u);
    EXPECT_EQ(exchange.response_body_bytes, 5u);

    at->client(headers(3, get_block("/second"), kEndStream));
    at->server(answer(3));
    EXPECT_EQ(sink.exchanges.back().operation.name.view(), "/second");
  }
  EXPECT_EQ(sink.total, 4u);
  EXPECT_EQ(count(ProtocolCounter::kOrphanRequest), 0u);
  EXPECT_EQ(count(ProtocolCounter::kOrphanResponse), 0u);
  EXPECT_EQ(count(ProtocolCounter::kOrphanGap), 0u);
  EXPECT_EQ(count(Counter::kChunksOrphan), 0u);
}

TEST_F(Http2Upgrade, TheAnswerMayComeWithTheSwitch) {
  wire.plain_client(kUpgradeRequest);
  wire.server_switches(kUpgradeAnswer, settings() + answer(1));
  EXPECT_EQ(only().operation.status, 200);
  EXPECT_EQ(only().first_response, wire.now());
}

TEST_F(Http2Upgrade, TheSwitchMayComeAlone) {
  wire.plain_client(kUpgradeRequest);
  wire.plain_server(kUpgradeAnswer);
  client_begins(wire);
  EXPECT_THAT(sink.exchanges, IsEmpty());
  wire.server(settings());
  wire.server(answer(1));
  EXPECT_EQ(only().operation.status, 200);
}

// So that a table that began with the connection is no guess.
TEST_F(Http2Upgrade, FieldsAreKnownFromTheFirstFrameOn) {
  wire.plain_client(kUpgradeRequest);
  const std::string known(1, '\x88');  // :status 200, RFC 7541 appendix A
  wire.server_switches(kUpgradeAnswer, settings() + headers(1, known, kEndStream));
  client_begins(wire);
  wire.client(headers(3, "\x82\x86\x84" + indexing(":authority", "a.example"), kEndStream));
  wire.server(headers(3, known, kEndStream));
  wire.client(headers(5, "\x82\x86\x84\xbe", kEndStream));
  wire.server(headers(5, known, kEndStream));
  ASSERT_EQ(sink.total, 3u);
  EXPECT_EQ(sink.exchanges[2].host.view(), "a.example");
  EXPECT_EQ(count(Counter::kHeadsPartlyUnknown), 0u);
}

TEST_F(Http2Upgrade, ARequestWithABodyHasItsSize) {
  wire.plain_client(
      "POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: Upgrade\r\n"
      "Upgrade: h2c\r\n\r\nabc");
  wire.server_switches(kUpgradeAnswer, settings());
  client_begins(wire);
  wire.server(answer(1));
  EXPECT_EQ(only().request_body_bytes, 3u);
}

TEST_F(Http2Upgrade, WithoutFramesItEndsAsAnUpgrade) {
  wire.plain_client(kUpgradeRequest);
  wire.plain_server(kUpgradeAnswer);
  const auto switched = wire.now();
  wire.plain_server("something else");
  EXPECT_THAT(sink.exchanges, IsEmpty());
  wire.is_over();
  EXPECT_EQ(only().outcome, Outcome::kUpgraded);
  EXPECT_EQ(only().operation.status, 101);
  EXPECT_EQ(only().last_response, switched);
}

TEST_F(Http2Upgrade, ABrokenOffAnswerIsAborted) {
  client_wire.plain_client(kUpgradeRequest);
  client_wire.server_switches(kUpgradeAnswer, settings());
  client_begins(client_wire);
  client_wire.is_over();
  EXPECT_EQ(only().outcome, Outcome::kAbortedByUs);
  EXPECT_EQ(only().operation.status, 0) << "the 101 is no answer";
}

TEST_F(Http2Upgrade, FramesBehindAnUnseenSwitchBeginAnew) {
  wire.plain_client(kUpgradeRequest);
  wire.plain_server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(only().operation.status, 200);
  wire.plain_client(kUpgradeRequest);
  client_begins(wire);
  EXPECT_EQ(count(ProtocolCounter::kOrphanRequest), 1u);
  wire.client(headers(3, get_block("/second"), kEndStream));
  wire.server(settings() + answer(3));
  EXPECT_THAT(paths(), ElementsAre("/first", "/second"));
}

// A tunnel in which somebody speaks HTTP/2 is one that the programs do not walk along.
TEST_F(Http2Upgrade, AnotherUpgradeIsOverAtOnce) {
  wire.plain_client(
      "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  wire.plain_server(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_EQ(only().outcome, Outcome::kUpgraded);
  EXPECT_EQ(only().protocol_version, ProtocolVersion::k11);
}

}  // namespace
}  // namespace exa::testing
