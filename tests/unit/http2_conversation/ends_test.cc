// How streams end before their time, with their connection, or unseen.
#include <cerrno>
#include <string>

#include "tests/unit/http2_conversation/talk_fixture.h"

namespace exa::testing {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint32_t kNoError = 0;
constexpr std::uint32_t kCancel = 8;

class Http2Ends : public Http2Talk {
 protected:
  void ask(TalkWire& at, std::uint32_t stream) {
    at.client(headers(stream, get_block("/" + std::to_string(stream)), kEndStream));
  }
  void answer(TalkWire& at, std::uint32_t stream) {
    at.server(headers(stream, status_block("200"), kEndStream));
  }
};

TEST_F(Http2Ends, AResetIsOfWhoeverSentIt) {
  wire.begins();
  client_wire.begins();
  for (auto* at : {&wire, &client_wire}) {
    ask(*at, 1);
    at->client(reset(1, kCancel));
    EXPECT_EQ(sink.exchanges.back().last_response, at->now());
    ask(*at, 3);
    at->server(headers(3, status_block("200")) + data(3, 5));
    at->server(reset(3, 2));
  }
  EXPECT_THAT(outcomes(), ElementsAre(Outcome::kAbortedByPeer, Outcome::kAbortedByUs,
                                      Outcome::kAbortedByUs, Outcome::kAbortedByPeer));
  EXPECT_EQ(sink.exchanges[0].operation.status, 0);
  EXPECT_EQ(sink.exchanges[1].operation.status, 200);
}

TEST_F(Http2Ends, AnEarlyAnswerIsComplete) {
  wire.begins();
  wire.client(headers(1, post_block("/upload") + field("content-length", "500")) + data(1, 100));
  wire.server(headers(1, status_block("413"), kEndStream));
  EXPECT_EQ(only().outcome, Outcome::kComplete);
  EXPECT_EQ(only().request_body_bytes, kUnknownBytes) << "nobody knows how much will come";
  wire.server(reset(1, kNoError));
  wire.client(data(1, 400, kEndStream));
  wire.client(headers(1, field("a", "trailer"), kEndStream));
  EXPECT_EQ(only().outcome, Outcome::kComplete);
  EXPECT_EQ(count(ProtocolCounter::kOrphanResponse), 0u);
}

TEST_F(Http2Ends, StreamsThatTheServerLeavesUnreadAreAborted) {
  client_wire.begins();
  for (const std::uint32_t stream : {1, 3, 5})
    ask(client_wire, stream);
  client_wire.server(go_away(0x7fffffff));
  EXPECT_THAT(sink.exchanges, IsEmpty());
  client_wire.server(go_away(3));
  EXPECT_EQ(only().operation.name.view(), "/5");
  EXPECT_EQ(only().outcome, Outcome::kAbortedByPeer);
  answer(client_wire, 1);
  answer(client_wire, 3);
  EXPECT_THAT(paths(), ElementsAre("/5", "/1", "/3"));
}

TEST_F(Http2Ends, AClientThatGoesAwayEndsNoRequest) {
  wire.begins();
  ask(wire, 1);
  wire.client(go_away(0));
  answer(wire, 1);
  EXPECT_EQ(only().outcome, Outcome::kComplete);
}

// What the server makes up is no request of this connection, but its fields are in the table.
TEST_F(Http2Ends, APushIsNoExchange) {
  client_wire.begins();
  ask(client_wire, 1);
  client_wire.server(
      frame(EXA_HTTP2_PUSH_PROMISE, kEndHeaders | EXA_HTTP2_PADDED, 1,
            std::string("\x02\0\0\0\x02", 5) + indexed(2) + indexing(":status", "418") + "00"));
  client_wire.server(headers(2, status_block("200"), kEndStream));
  client_wire.server(headers(1, indexed(62), kEndStream));
  EXPECT_EQ(only().operation.name.view(), "/1");
  EXPECT_EQ(only().operation.status, 418);
  EXPECT_EQ(count(ProtocolCounter::kOrphanResponse), 0u);
}

TEST_F(Http2Ends, ATunnelEndsWithItsHead) {
  wire.begins();
  wire.client(headers(1, field(":method", "CONNECT") + field(":authority", "db.example:5432")));
  wire.server(headers(1, status_block("200")));
  EXPECT_EQ(only().outcome, Outcome::kUpgraded);
  EXPECT_EQ(only().last_response, wire.now());
  EXPECT_EQ(only().host.view(), "db.example:5432");
  EXPECT_EQ(only().operation.name.view(), "");
  wire.client(data(1, 100, kEndStream));
  wire.server(data(1, 100, kEndStream));
  wire.client(headers(3, field(":method", "CONNECT") + field(":protocol", "websocket") +
                             field(":path", "/chat") + field(":authority", "shop.example")));
  wire.server(headers(3, status_block("200")));
  wire.client(headers(5, field(":method", "CONNECT") + field(":authority", "x")));
  wire.server(headers(5, status_block("403"), kEndStream));
  EXPECT_THAT(outcomes(), ElementsAre(Outcome::kUpgraded, Outcome::kUpgraded, Outcome::kComplete));
  EXPECT_EQ(sink.exchanges[1].operation.name.view(), "/chat");
}

TEST_F(Http2Ends, AConnectionEndsItsStreams) {
  wire.begins();
  ask(wire, 1);
  ask(wire, 3);
  wire.server(headers(3, status_block("200")) + data(3, 4));
  wire.is_over(ECONNRESET);
  EXPECT_THAT(outcomes(), Each(Outcome::kAbortedByPeer));
  ASSERT_THAT(sink.exchanges, SizeIs(2));
  for (const auto& exchange : sink.exchanges) {
    EXPECT_EQ(exchange.socket_error, ECONNRESET);
    EXPECT_EQ(exchange.last_response, wire.now());
  }
}

// As curl does over a connection of one stream: it has what it was promised, and goes.
TEST_F(Http2Ends, AnAnswerThatIsAllThereIsCompleteWithoutItsLastFrame) {
  const auto promised = status_block("200") + field("content-length", "100");
  for (const auto received : {100u, 80u}) {
    SCOPED_TRACE(received);
    sink.exchanges.clear();
    TalkWire own(tracker, false, 100 + received);
    own.begins();
    own.client(headers(1, get_block("/file"), kEndStream));
    own.server(headers(1, promised) + data(1, 60) + data(1, received - 60));
    const auto last_byte = own.now();
    own.end({.egress = true, .final = true});
    ASSERT_THAT(sink.exchanges, SizeIs(1));
    const bool all = received == 100;
    EXPECT_EQ(only().outcome, all ? Outcome::kComplete : Outcome::kAbortedByUs);
    EXPECT_EQ(only().last_response, all ? last_byte : own.now());
  }
}

TEST_F(Http2Ends, BesideOthersNobodyKnowsWhoseBytesCame) {
  client_wire.begins();
  client_wire.client(headers(1, get_block("/1"), kEndStream));
  client_wire.server(headers(1, status_block("200") + field("content-length", "100")));
  client_wire.client(headers(3, get_block("/3"), kEndStream));
  client_wire.server(data(3, 200));
  client_wire.end({.egress = true, .final = true});
  ASSERT_THAT(sink.exchanges, SizeIs(2));
  EXPECT_EQ(sink.exchanges[0].outcome, Outcome::kAbortedByUs);
}

TEST_F(Http2Ends, ADirectionEndsWhatItWouldHaveAnswered) {
  client_wire.begins();
  ask(client_wire, 1);
  client_wire.end({.egress = true});
  EXPECT_THAT(sink.exchanges, IsEmpty()) << "the answer may still come";
  client_wire.end({.ingress = true});
  EXPECT_EQ(only().outcome, Outcome::kAbortedByPeer);
}

TEST_F(Http2Ends, AnEndMayTellOfAMessagesLastBytes) {
  wire.begins();
  ask(wire, 1);
  wire.server(headers(1, status_block("200")) + data(1, 100, kEndStream).substr(0, 59));
  wire.lost_of_server(std::string(50, 'd'));
  wire.is_over();
  EXPECT_EQ(only().outcome, Outcome::kComplete);
  EXPECT_EQ(only().response_body_bytes, 100u);
}

TEST_F(Http2Ends, OfStreamsFromBeforeAJoinOnlyTheEndIsCounted) {
  wire.joins();
  wire.server(headers(1, status_block("200")));
  ask(wire, 5);
  wire.server(data(1, 10, kEndStream) + headers(3, status_block("200"), kEndStream));
  EXPECT_EQ(count(ProtocolCounter::kOrphanResponse), 2u);
  answer(wire, 5);
  EXPECT_EQ(only().operation.name.view(), "/5");
}

TEST_F(Http2Ends, MissedFramesOfTheServerMayHaveBeenAnyEnd) {
  wire.begins();
  ask(wire, 1);
  wire.lost_of_server(headers(1, status_block("200"), kEndStream));
  ask(wire, 3);
  answer(wire, 3);
  EXPECT_EQ(only().operation.name.view(), "/3") << "it was asked for later";
  EXPECT_EQ(count(ProtocolCounter::kOrphanGap), 1u);
}

TEST_F(Http2Ends, MissedFramesOfTheClientMayHaveBeenAReset) {
  wire.begins();
  ask(wire, 1);
  wire.client(headers(3, post_block("/3")) + data(3, 5));
  wire.lost_of_client(reset(1, kCancel) + headers(5, get_block("/5"), kEndStream));
  wire.client(data(3, 5, kEndStream));
  answer(wire, 5);
  EXPECT_EQ(count(ProtocolCounter::kOrphanResponse), 1u) << "nobody saw the request";
  answer(wire, 3);
  EXPECT_EQ(only().request_body_bytes, kUnknownBytes);
  wire.is_over();
  EXPECT_EQ(count(ProtocolCounter::kOrphanGap), 1u);
  EXPECT_THAT(sink.exchanges, SizeIs(1)) << "that it was aborted is not known";
}

TEST_F(Http2Ends, AfterMissedFramesTheTableIsUnknown) {
  wire.begins();
  wire.client(headers(1, indexed(2) + indexing(":path", "/old"), kEndStream));
  answer(wire, 1);
  wire.lost_of_client(headers(3, indexed(2) + indexing(":path", "/newer"), kEndStream));
  wire.client(headers(5, indexed(2) + indexed(62), kEndStream));
  answer(wire, 5);
  EXPECT_THAT(paths(), ElementsAre("/old", "")) << "and never another one's path";
}

// Records of two threads that changed places.
TEST_F(Http2Ends, ARecordThatComesTooLateIsNotRead) {
  wire.begins();
  ask(wire, 1);
  const auto at = wire.walk(0).position();
  const auto first = headers(3, indexed(2) + indexing(":path", "/3"), kEndStream);
  const auto late = wire.walk(0).call(first);
  wire.client(headers(5, indexed(2) + indexing(":path", "/5"), kEndStream));
  wire.tell_one(0, late.at(0));
  EXPECT_EQ(late[0].position, at);
  EXPECT_EQ(count(Counter::kChunksOrphan), 1u);
  wire.client(headers(7, indexed(2) + indexed(62), kEndStream));
  answer(wire, 7);
  EXPECT_THAT(paths(), ElementsAre(""));
  answer(wire, 1);
  EXPECT_THAT(paths(), ElementsAre("", "/1"));
}

// Not even what comes first is known to be the first then.
TEST_F(Http2Ends, AConnectionWhoseFirstChunkIsNotFramedIsJoined) {
  wire.server(settings());
  wire.plain_client("anything");
  wire.client(std::string(kPreface) + settings() +
              headers(1, indexed(2) + indexed(62), kEndStream));
  answer(wire, 1);
  EXPECT_EQ(only().operation.name.view(), "");
  EXPECT_EQ(count(ProtocolCounter::kParseErrorRequest), 0u);
}

TEST_F(Http2Ends, ABlockThatIsCutShortByAnotherFrame) {
  wire.begins();
  wire.client(frame(EXA_HTTP2_HEADERS, 0, 1, "\x82") + headers(3, get_block("/3"), kEndStream));
  EXPECT_EQ(count(ProtocolCounter::kParseErrorFraming), 1u);
  answer(wire, 3);
  EXPECT_EQ(only().operation.name.view(), "/3");
  wire.client(frame(EXA_HTTP2_CONTINUATION, kEndHeaders, 5, get_block("/5")));
  EXPECT_EQ(tracker.open_exchanges().size(), 0u);
}

TEST_F(Http2Ends, ABlockThatIsNoneIsAParseError) {
  wire.begins();
  wire.client(headers(1, "\xff\xff\xff\xff\xff\xff", kEndStream));
  EXPECT_EQ(count(ProtocolCounter::kParseErrorRequest), 1u);
  EXPECT_EQ(count(ProtocolCounter::kOrphanGap), 1u) << "it was a request, but which";
  answer(wire, 1);
  EXPECT_EQ(count(ProtocolCounter::kOrphanResponse), 0u) << "counted already";
  ask(wire, 3);
  wire.server(headers(3, "\xff\xff\xff\xff\xff\xff", kEndStream));
  EXPECT_EQ(count(ProtocolCounter::kParseErrorResponse), 1u);
  EXPECT_EQ(only().operation.status, 0);
  EXPECT_EQ(only().outcome, Outcome::kComplete);
}

TEST_F(Http2Ends, ARecordThatNobodyMadeIsAParseError) {
  wire.begins();
  ask(wire, 1);
  auto record = wire.walk(1).call(headers(1, status_block("200"), kEndStream)).at(0);
  record.kept.pop_back();
  wire.tell_one(1, record);
  EXPECT_EQ(count(Counter::kChunksParseError), 1u);
  EXPECT_EQ(count(ProtocolCounter::kOrphanGap), 1u);
}

TEST_F(Http2Ends, AChunkThatIsNotFramedIsMissed) {
  wire.begins();
  ask(wire, 1);
  wire.plain_client("anything");
  EXPECT_EQ(count(Counter::kChunksOrphan), 1u);
  answer(wire, 1);
  EXPECT_THAT(paths(), ElementsAre("/1"));
}

TEST_F(Http2Ends, AConnectionMayHaveSpokenSomethingElseBefore) {
  wire.plain_client("GET /old HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n");
  EXPECT_EQ(tracker.open_exchanges().size(), 1u);
  wire.begins();
  EXPECT_EQ(count(ProtocolCounter::kOrphanRequest), 1u);
  ask(wire, 3);
  answer(wire, 3);
  EXPECT_EQ(only().operation.name.view(), "/3");
}

TEST_F(Http2Ends, SweepsChangeNothing) {
  wire.begins();
  ask(wire, 1);
  wire.server(headers(1, status_block("200")) + data(1, 100, kEndStream).substr(0, 20));
  wire.server(std::string(20, 'd'));
  wire.position();
  wire.server(std::string(69, 'd'));
  EXPECT_EQ(only().outcome, Outcome::kComplete);
  EXPECT_EQ(only().response_body_bytes, 100u);
}

TEST_F(Http2Ends, EndpointsMayComeLater) {
  wire.first_sequence = 0;
  const auto asked = std::string(kPreface) + settings();
  wire.client(asked + headers(1, get_block("/1"), kEndStream) +
              headers(3, get_block("/3"), kEndStream));
  wire.socket(5'000);
  answer(wire, 1);
  answer(wire, 3);
  ASSERT_THAT(sink.exchanges, SizeIs(2));
  EXPECT_EQ(sink.exchanges[0].request_sequence, 5'000 + asked.size());
  EXPECT_EQ(sink.exchanges[0].local.port, 8080);
  EXPECT_EQ(sink.exchanges[1].local.port, 8080);
}

TEST_F(Http2Ends, RequestsReadAtOnceDifferWhereTheirPlaceIsNotKnown) {
  wire.first_sequence = 0;
  wire.tls = true;
  wire.begins();
  wire.client(headers(1, get_block("/1"), kEndStream) + headers(3, get_block("/3"), kEndStream));
  answer(wire, 1);
  answer(wire, 3);
  ASSERT_THAT(sink.exchanges, SizeIs(2));
  EXPECT_EQ(sink.exchanges[0].read, sink.exchanges[1].read);
  EXPECT_NE(sink.exchanges[0].request_sequence, sink.exchanges[1].request_sequence);
  EXPECT_LE(sink.exchanges[1].request_sequence, kMaxPlaceWithoutSequence);
}

TEST_F(Http2Ends, MoreStreamsThanMayBeOpenAreCounted) {
  wire.begins();
  std::string asked;
  for (std::uint32_t i = 0; i < 1'100; ++i)
    asked += headers(2 * i + 1, get_block("/x"), kEndStream);
  wire.client(asked);
  EXPECT_EQ(tracker.open_exchanges().size(), 1'024u);
  EXPECT_EQ(count(ProtocolCounter::kRequestsUnansweredOverflow), 76u);
  std::string answers;
  for (std::uint32_t i = 0; i < 1'100; ++i)
    answers += headers(2 * i + 1, status_block("200"), kEndStream);
  wire.server(answers);
  EXPECT_THAT(sink.exchanges, SizeIs(1'024));
  EXPECT_EQ(count(ProtocolCounter::kOrphanResponse), 0u) << "counted already";
}

TEST_F(Http2Ends, ABlockLargerThanAnyIsCounted) {
  wire.begins();
  std::string asked = frame(EXA_HTTP2_HEADERS, kEndStream, 1, get_block("/huge"));
  for (int i = 0; i < 5; ++i)
    asked += frame(EXA_HTTP2_CONTINUATION, i == 4 ? kEndHeaders : 0, 1,
                   field("c", std::string(15'000, 'c')));
  wire.client(asked);
  EXPECT_EQ(count(Counter::kHeadTooLong), 1u);
  EXPECT_EQ(count(ProtocolCounter::kOrphanGap), 1u);
  ask(wire, 3);
  answer(wire, 3);
  EXPECT_EQ(only().operation.name.view(), "/3") << "only the table is unknown from there on";

  // Of an answer that is so large the end is still its end.
  ask(wire, 5);
  asked = frame(EXA_HTTP2_HEADERS, kEndStream, 5, status_block("200"));
  for (int i = 0; i < 5; ++i)
    asked += frame(EXA_HTTP2_CONTINUATION, i == 4 ? kEndHeaders : 0, 5,
                   field("c", std::string(15'000, 'c')));
  wire.server(asked);
  ASSERT_THAT(sink.exchanges, SizeIs(2));
  EXPECT_EQ(sink.exchanges[1].operation.status, 0);
  EXPECT_EQ(sink.exchanges[1].outcome, Outcome::kComplete);
}

TEST_F(Http2Ends, ConnectionsBeyondThoseWithTablesAreReadWithout) {
  for (SocketId socket = 100; socket < 100 + 4'096; ++socket)
    TalkWire(tracker, true, socket).begins();
  EXPECT_EQ(count(Counter::kHeadTablesExhausted), 0u);
  wire.begins();
  EXPECT_EQ(count(Counter::kHeadTablesExhausted), 1u);
  wire.client(headers(1, indexed(2) + indexing(":path", "/literal"), kEndStream));
  wire.client(headers(3, indexed(2) + indexed(62), kEndStream));
  answer(wire, 1);
  answer(wire, 3);
  EXPECT_THAT(paths(), ElementsAre("/literal", ""));
  for (SocketId socket = 100; socket < 100 + 4'096; ++socket)
    TalkWire(tracker, true, socket).is_over();
}

}  // namespace
}  // namespace exa::testing
