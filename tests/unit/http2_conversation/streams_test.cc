// What becomes of the streams of a connection: each an exchange, whatever is sent in between.
#include <cerrno>

#include "agent/semantics/semantics.h"
#include "exa/model/rpc_status.h"
#include "tests/unit/connection/tracker_fixture.h"
#include "tests/unit/http2_conversation/frames_wire.h"

namespace exa {
namespace {

using ::testing::AnyOf;
using testing::data;
using testing::field;
using testing::frame;
using testing::FramesWire;
using testing::head;
using ::testing::IsEmpty;
using testing::reset;
using testing::settings;
using ::testing::SizeIs;

constexpr std::string_view kTraceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

std::string get(std::string_view path = "/cart?id=1") {
  return field(":method", "GET") + field(":scheme", "http") + field(":path", path) +
         field(":authority", "shop.example") + field("traceparent", kTraceparent);
}
std::string status(std::string_view code) {
  return field(":status", code);
}
std::string call(std::string_view path, std::string_view more = {}) {
  return field(":method", "POST") + field(":path", path) +
         field("content-type", "application/grpc") + std::string(more);
}

class Streams : public testing::TrackerFixture {
 protected:
  // As a server, unless a test speaks as a client.
  void serve() {
    wire2.client_opens(Direction::kIngress);
    wire2.writes(settings());
  }
  FramesWire wire2{tracker};
};

TEST_F(Streams, OneRequestIsAnExchange) {
  serve();
  wire2.reads(head(1, get(), true));
  const auto read = wire2.now();
  wire2.writes(head(1, status("200"), false) + data(1, "ok", false));
  const auto first = wire2.now();
  wire2.writes(data(1, "!", true));
  const auto& exchange = only();
  EXPECT_EQ(exchange.role, Role::kServer);
  EXPECT_EQ(exchange.outcome, Outcome::kComplete);
  EXPECT_EQ(exchange.protocol_version, ProtocolVersion::k2);
  EXPECT_EQ(exchange.operation.method, Method::kGet);
  EXPECT_EQ(exchange.operation.name.view(), "/cart");
  EXPECT_EQ(exchange.operation.status, 200);
  EXPECT_EQ(exchange.host.view(), "shop.example");
  EXPECT_TRUE(exchange.has_context);
  EXPECT_EQ(exchange.read, read);
  EXPECT_EQ(exchange.arrival.ns, read.ns - 300'000) << "it is the first frame of the read";
  EXPECT_EQ(exchange.first_response, first);
  EXPECT_EQ(exchange.last_response, wire2.now());
  EXPECT_EQ(exchange.request_body_bytes, 0u);
  EXPECT_EQ(exchange.response_body_bytes, 3u);
}

TEST_F(Streams, BothEndsAgreeOnTheSequence) {
  FramesWire client(tracker, 8);
  client.client_opens(Direction::kEgress);
  wire2.client_opens(Direction::kIngress);
  const auto ask = head(1, get(), true) + head(3, get(), true);
  client.writes(ask);
  wire2.reads(ask);
  for (auto* end : {&client, &wire2})
    end->moves(end == &client ? Direction::kIngress : Direction::kEgress,
               settings() + head(3, status("204"), true) + head(1, status("204"), true));
  ASSERT_THAT(sink.exchanges, SizeIs(4));
  EXPECT_EQ(sink.exchanges[0].role, Role::kClient);
  EXPECT_EQ(sink.exchanges[2].role, Role::kServer);
  EXPECT_EQ(sink.exchanges[0].request_sequence, sink.exchanges[2].request_sequence);
  EXPECT_EQ(sink.exchanges[1].request_sequence, sink.exchanges[3].request_sequence);
  EXPECT_NE(sink.exchanges[0].request_sequence, sink.exchanges[1].request_sequence);
  EXPECT_FALSE(sink.exchanges[2].arrival.known()) << "not the first byte of the read";
}

TEST_F(Streams, AHundredShareAConnection) {
  serve();
  std::string asks;
  for (std::uint32_t stream = 1; stream < 200; stream += 2)
    asks += head(stream, get("/" + std::to_string(stream)), true);
  wire2.reads(asks);
  for (std::uint32_t stream = 199; stream < 200; stream -= 2)
    wire2.writes(head(stream, status("200"), false) + data(stream, "x", true));
  ASSERT_THAT(sink.exchanges, SizeIs(100));
  EXPECT_EQ(sink.exchanges[0].operation.name.view(), "/199");
  EXPECT_EQ(sink.exchanges[99].operation.name.view(), "/1");
}

// Every way in which bytes may be cut into calls and segments tells the same.
TEST_F(Streams, HoweverTheBytesAreCut) {
  const auto padded =
      frame(EXA_HTTP2_HEADERS, EXA_HTTP2_END_HEADERS | EXA_HTTP2_PADDED | EXA_HTTP2_PRIORITISED, 1,
            std::string("\x03") + "prio!" + get() + "pad");
  const auto block = get("/second");
  const auto in_parts = frame(EXA_HTTP2_HEADERS, EXA_HTTP2_END_STREAM, 3, block.substr(0, 10)) +
                        frame(EXA_HTTP2_CONTINUATION, 0, 3, block.substr(10, 20)) +
                        frame(EXA_HTTP2_CONTINUATION, EXA_HTTP2_END_HEADERS, 3, block.substr(30));
  const auto asked =
      padded + frame(EXA_HTTP2_PING, 0, 0, "12345678") + data(1, "body", true) + in_parts;
  const auto answered = head(1, status("103"), false) + head(1, status("200"), false) +
                        data(1, "answer", false) + head(1, field("x", "trailer"), true) +
                        frame(EXA_HTTP2_WINDOW_UPDATE, 0, 0, "1234") + head(3, status("404"), true);
  SocketId socket = 100;
  for (std::size_t call_bytes = 1; call_bytes <= 64; ++call_bytes) {
    for (const std::size_t segment_bytes : {1, 9, 17, 1000}) {
      FramesWire cut(tracker, ++socket);
      const auto told = sink.exchanges.size();
      cut.client_opens(Direction::kIngress);
      for (std::size_t at = 0; at < asked.size(); at += call_bytes)
        cut.moves(Direction::kIngress, std::string_view(asked).substr(at, call_bytes),
                  segment_bytes);
      for (std::size_t at = 0; at < answered.size(); at += call_bytes)
        cut.moves(Direction::kEgress, std::string_view(answered).substr(at, call_bytes),
                  segment_bytes);
      ASSERT_THAT(sink.exchanges, SizeIs(told + 2)) << call_bytes << " " << segment_bytes;
      EXPECT_EQ(sink.exchanges[told].operation.name.view(), "/cart");
      EXPECT_EQ(sink.exchanges[told].operation.status, 200);
      EXPECT_THAT(sink.exchanges[told].request_body_bytes, AnyOf(4u, kUnknownBytes));
      EXPECT_THAT(sink.exchanges[told].response_body_bytes, AnyOf(6u, kUnknownBytes));
      EXPECT_EQ(sink.exchanges[told + 1].operation.name.view(), "/second");
      EXPECT_EQ(sink.exchanges[told + 1].operation.status, 404);
    }
  }
}

TEST_F(Streams, ABodyEndsWithItsLastByteWhateverCarriesIt) {
  serve();
  wire2.reads(head(1, get(), true) + head(3, get(), true));
  wire2.writes(head(1, status("200"), false) + data(1, std::string(3'000, 'd'), true).substr(0, 9));
  wire2.writes(std::string(1'000, 'd'));
  const auto records = wire2.records();
  wire2.writes(std::string(1'000, 'd'));
  EXPECT_EQ(wire2.records(), records) << "the middle of a body tells nothing";
  EXPECT_THAT(sink.exchanges, IsEmpty());
  wire2.tick(1'000);
  wire2.passes(Direction::kEgress, 1'000);  // by sendfile
  EXPECT_EQ(only().last_response, wire2.now());
  EXPECT_EQ(only().response_body_bytes, kUnknownBytes) << "some of it was not told";
  wire2.writes(head(3, status("204"), true));
  EXPECT_THAT(sink.exchanges, SizeIs(2));
}

TEST_F(Streams, AnAnswerMayComeBeforeItsRequestHas) {
  serve();
  wire2.reads(head(1, get(), false) + data(1, "part", false));
  wire2.writes(head(1, status("413"), true) + reset(1, 0));
  EXPECT_EQ(only().outcome, Outcome::kComplete);
  EXPECT_EQ(only().operation.status, 413);
  EXPECT_EQ(only().request_body_bytes, kUnknownBytes);
  wire2.reads(data(1, "more", true));
  EXPECT_THAT(sink.exchanges, SizeIs(1));
}

TEST_F(Streams, AResetEndsAStream) {
  serve();
  wire2.reads(head(1, get(), true) + head(3, get(), true));
  wire2.reads(reset(1, 8));
  wire2.writes(head(3, status("200"), false) + reset(3, 2));
  ASSERT_THAT(sink.exchanges, SizeIs(2));
  EXPECT_EQ(sink.exchanges[0].outcome, Outcome::kAbortedByPeer);
  EXPECT_EQ(sink.exchanges[0].operation.status, 0);
  EXPECT_EQ(sink.exchanges[1].outcome, Outcome::kAbortedByUs);
  EXPECT_EQ(sink.exchanges[1].operation.status, 200);
}

TEST_F(Streams, WhatIsAboveTheLastOfAGoawayIsRefused) {
  serve();
  wire2.reads(head(1, get(), true) + head(3, get(), true));
  wire2.writes(frame(EXA_HTTP2_GOAWAY, 0, 0, std::string("\0\0\0\1\0\0\0\0", 8)));
  EXPECT_EQ(only().outcome, Outcome::kAbortedByUs);
  wire2.writes(head(1, status("200"), true));
  EXPECT_THAT(sink.exchanges, SizeIs(2));
}

TEST_F(Streams, TheEndOfTheConnectionEndsThem) {
  serve();
  wire2.reads(head(1, get(), true) + head(3, get(), true));
  wire2.writes(head(1, status("200"), false));
  wire2.ends(ECONNRESET, true);
  ASSERT_THAT(sink.exchanges, SizeIs(2));
  for (const auto& exchange : sink.exchanges) {
    EXPECT_EQ(exchange.outcome, Outcome::kAbortedByPeer);
    EXPECT_EQ(exchange.socket_error, ECONNRESET);
  }
}

TEST_F(Streams, ATunnelEndsWithItsHead) {
  serve();
  wire2.reads(head(1, field(":method", "CONNECT") + field(":authority", "db:5432"), false));
  wire2.reads(head(
      3, field(":method", "CONNECT") + field(":protocol", "websocket") + field(":path", "/chat"),
      false));
  wire2.writes(head(1, status("200"), false) + head(3, status("403"), true));
  ASSERT_THAT(sink.exchanges, SizeIs(2));
  EXPECT_EQ(sink.exchanges[0].outcome, Outcome::kUpgraded);
  EXPECT_EQ(sink.exchanges[1].outcome, Outcome::kComplete);
  EXPECT_EQ(sink.exchanges[1].operation.status, 403);
}

TEST_F(Streams, APushIsNoExchange) {
  serve();
  wire2.reads(head(1, get(), true));
  wire2.writes(frame(EXA_HTTP2_PUSH_PROMISE, EXA_HTTP2_END_HEADERS, 1,
                     std::string("\0\0\0\2", 4) + field(":method", "GET") + field("a", "b", true)));
  wire2.writes(head(2, status("200"), true));
  EXPECT_THAT(sink.exchanges, IsEmpty());
  wire2.writes(head(1, status("200") + "\xbe", true));
  EXPECT_EQ(only().operation.status, 200) << "the entry of the promise's block is in the table";
  EXPECT_EQ(count(ProtocolCounter::kParseErrorResponse), 0u);
}

TEST_F(Streams, OfAConnectionThatIsOlderWhatIsNotKnownIsNotTold) {
  wire2.joins();
  wire2.writes(head(5, status("200"), true));
  EXPECT_EQ(count(ProtocolCounter::kOrphanResponse), 1u);
  // :path is an entry of the table from before.
  wire2.reads(head(7, field(":method", "GET") + "\xbe" + field("traceparent", kTraceparent), true));
  wire2.writes(head(7, status("200"), true));
  EXPECT_EQ(only().operation.method, Method::kGet);
  EXPECT_TRUE(only().operation.name.empty());
  EXPECT_TRUE(only().has_context);
  EXPECT_EQ(only().operation.status, 200);
}

TEST_F(Streams, WhoseEndMayHaveBeenMissedAreForgotten) {
  serve();
  wire2.reads(head(1, get(), true) + head(3, get(), true));
  wire2.misses(Direction::kEgress);
  wire2.writes(head(3, status("200"), true));
  EXPECT_THAT(sink.exchanges, IsEmpty());
  EXPECT_EQ(count(ProtocolCounter::kOrphanGap), 2u);
  wire2.reads(head(5, get(), true));
  wire2.writes(head(5, status("200"), true));
  EXPECT_THAT(sink.exchanges, SizeIs(1));
}

TEST_F(Streams, WhatIsNoFieldBlockIsAParseErrorAndTheRequestCounts) {
  serve();
  wire2.reads(head(1, "\xff\xff\xff\xff\xff\xff\xff\xff", true));
  EXPECT_EQ(count(ProtocolCounter::kParseErrorRequest), 1u);
  wire2.writes(head(1, status("400"), true));
  EXPECT_EQ(only().operation.status, 400);
  EXPECT_TRUE(only().operation.name.empty());
}

TEST_F(Streams, BeyondTheirLimitAreCounted) {
  serve();
  for (std::uint32_t stream = 1; stream < 2 * 1'100; stream += 2)
    wire2.reads(head(stream, get(), true));
  EXPECT_EQ(count(ProtocolCounter::kRequestsUnansweredOverflow), 1'100u - 1'024u);
  wire2.ends();
  EXPECT_THAT(sink.exchanges, SizeIs(1'024));
}

TEST_F(Streams, AHeadOfMoreThanIsKeptCountsWithWhatItBeginsWith) {
  serve();
  wire2.reads(head(1, get() + field("cookie", std::string(60'000, 'c')), true));
  wire2.writes(head(1, status("200"), true));
  EXPECT_EQ(only().operation.name.view(), "/cart");
  EXPECT_EQ(count(Counter::kHeadTooLong), 1u);
}

// ---- calls

TEST_F(Streams, ACallHasTheStatusOfItsTrailers) {
  serve();
  wire2.reads(head(1, call("/shop.Cart/Add"), false) + data(1, "message", true));
  wire2.writes(head(1, status("200") + field("content-type", "application/grpc"), false) +
               data(1, "message", false));
  EXPECT_THAT(sink.exchanges, IsEmpty()) << "a stream lasts until its trailers";
  wire2.writes(head(1, field("grpc-status", "5"), true));
  EXPECT_EQ(only().operation.convention, Convention::kRpc);
  EXPECT_EQ(only().operation.name.view(), "/shop.Cart/Add");
  EXPECT_EQ(only().operation.status, status_of(RpcStatus::kNotFound));
}

TEST_F(Streams, ACallMayFailWithItsHeadAlone) {
  serve();
  wire2.reads(head(1, call("/shop.Cart/Nope"), true));
  wire2.writes(head(
      1, status("200") + field("content-type", "application/grpc") + field("grpc-status", "12"),
      true));
  EXPECT_EQ(only().operation.status, status_of(RpcStatus::kUnimplemented));
}

TEST_F(Streams, GrpcWebIsHttp) {
  serve();
  wire2.reads(head(1,
                   field(":method", "POST") + field(":path", "/shop.Cart/Add") +
                       field("content-type", "application/grpc-web+proto"),
                   true));
  wire2.writes(head(1, status("200"), true));
  EXPECT_EQ(only().operation.convention, Convention::kHttp);
}

TEST_F(Streams, AClientDerivesTheStatusThatWasNotSent) {
  wire2.client_opens(Direction::kEgress);
  wire2.reads(settings());
  wire2.writes(head(1, call("/a.B/C"), true) + head(3, call("/a.B/C"), true) +
               head(5, call("/a.B/C", field("grpc-timeout", "5m")), true) +
               head(7, call("/a.B/C"), true));
  wire2.reads(head(1, status("503"), true));
  wire2.writes(reset(3, 8));
  wire2.tick(10);
  wire2.writes(reset(5, 8));
  wire2.reads(reset(7, 11));
  ASSERT_THAT(sink.exchanges, SizeIs(4));
  EXPECT_EQ(sink.exchanges[0].operation.status, status_of(RpcStatus::kUnavailable));
  EXPECT_EQ(sink.exchanges[1].operation.status, status_of(RpcStatus::kCancelled));
  EXPECT_EQ(sink.exchanges[2].operation.status, status_of(RpcStatus::kDeadlineExceeded));
  EXPECT_EQ(sink.exchanges[3].operation.status, status_of(RpcStatus::kResourceExhausted));
}

TEST_F(Streams, AServerWhoseCallerLeavesSaysNoStatus) {
  serve();
  wire2.reads(head(1, call("/a.B/C"), true));
  wire2.reads(reset(1, 8));
  EXPECT_EQ(only().operation.status, 0);
  EXPECT_EQ(only().outcome, Outcome::kAbortedByPeer);
}

}  // namespace
}  // namespace exa
