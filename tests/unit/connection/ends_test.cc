// How connections end, what they may speak, and the bounds of the tracker.
#include <cerrno>
#include <string>

#include "agent/semantics/semantics.h"
#include "tests/unit/connection/tracker_fixture.h"

namespace exa {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::Wire;

class Ends : public testing::TrackerFixture {
 protected:
  static constexpr std::string_view kPart = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart";
};

TEST_F(Ends, ServerWhosePeerLeavesWithoutAnAnswer) {
  wire.reads(kGet);
  wire.peer_closes();
  EXPECT_THAT(sink.exchanges, IsEmpty()) << "half closed: the answer may come";
  wire.we_close();
  EXPECT_EQ(only().outcome, Outcome::kAbortedByPeer);
  EXPECT_EQ(only().operation.status, 0);
  EXPECT_FALSE(only().first_response.known());
  EXPECT_EQ(only().last_response, wire.now());
}

TEST_F(Ends, ServerAnswersAHalfClosedPeer) {
  wire.reads(kGet);
  wire.peer_closes();
  wire.writes(kOk);
  wire.is_over();
  EXPECT_EQ(only().outcome, Outcome::kComplete);
}

TEST_F(Ends, ServerThatGivesUp) {
  wire.reads(kGet);
  wire.writes(kPart);
  wire.we_close();
  const auto given_up = wire.now();
  wire.is_over();
  EXPECT_EQ(only().outcome, Outcome::kAbortedByUs);
  EXPECT_EQ(only().operation.status, 200);
  EXPECT_EQ(only().last_response, given_up);
}

TEST_F(Ends, ServerWhosePeerResets) {
  wire.reads(kGet);
  wire.writes(kPart);
  wire.is_over(ECONNRESET);
  EXPECT_EQ(only().outcome, Outcome::kAbortedByPeer);
  EXPECT_EQ(only().socket_error, ECONNRESET);
  EXPECT_TRUE(is_error(only()));
}

TEST_F(Ends, StreamsWhoseSocketIsNotKnownEndWithTheirProcess) {
  wire.is_tls();
  wire.reads(kGet);
  wire.writes(kPart);
  Wire other_process(tracker, 8, 43);
  other_process.is_tls();
  other_process.reads(kGet);
  Wire known_socket(tracker, 9);
  known_socket.is_tls();
  known_socket.socket();
  known_socket.reads(kGet);
  wire.process_exits();
  EXPECT_EQ(only().outcome, Outcome::kAbortedByUs);
  EXPECT_EQ(only().last_response, wire.now());
  EXPECT_EQ(tracker.size(), 2u) << "the kernel tells the end of a socket";
  EXPECT_EQ(count(Counter::kConnectionsClosed), 1u);
}

TEST_F(Ends, AProcessThatWasForgottenEndsNothing) {
  wire.is_tls();
  wire.reads(kGet);
  wire.is_over();
  tracker.sweep(wire.tick());
  wire.process_exits();
  EXPECT_THAT(sink.exchanges, SizeIs(1));
}

TEST_F(Ends, ClientWhoseServerLeaves) {
  wire.writes(kGet);
  wire.reads(kPart);
  wire.peer_closes();
  EXPECT_EQ(only().outcome, Outcome::kAbortedByPeer);
}

TEST_F(Ends, ClientThatGivesUp) {
  wire.writes(kGet);
  wire.reads(kPart);
  wire.we_close();
  EXPECT_THAT(sink.exchanges, IsEmpty()) << "our half only: bytes may still be read";
  wire.is_over();
  EXPECT_EQ(only().outcome, Outcome::kAbortedByUs);
}

TEST_F(Ends, ClientReadsACloseDelimitedAnswerToItsEnd) {
  wire.writes(kGet);
  wire.reads("HTTP/1.1 200 OK\r\n\r\nbody");
  const auto last_byte = wire.now();
  wire.peer_closes();
  EXPECT_EQ(only().outcome, Outcome::kComplete);
  EXPECT_EQ(only().last_response, last_byte);
}

TEST_F(Ends, ClientWhoseGoodbyeIsResetHasAllOfACloseDelimitedAnswer) {
  wire.writes(kGet);
  wire.reads("HTTP/1.1 200 OK\r\n\r\nbody");
  wire.end({.ingress = true, .egress = true, .final = true, .error = EPIPE});
  EXPECT_EQ(only().outcome, Outcome::kComplete);
}

TEST_F(Ends, ACloseDelimitedAnswerThatIsResetIsCut) {
  wire.writes(kGet);
  wire.reads("HTTP/1.1 200 OK\r\n\r\nbody");
  wire.is_over(ECONNRESET);
  EXPECT_EQ(only().outcome, Outcome::kAbortedByPeer);
}

TEST_F(Ends, ClientThatLeavesACloseDelimitedAnswer) {
  wire.writes(kGet);
  wire.reads("HTTP/1.1 200 OK\r\n\r\nbody");
  wire.is_over();
  EXPECT_EQ(only().outcome, Outcome::kAbortedByUs);
}

TEST_F(Ends, EndTellsOfBytesThatHadNoEvent) {
  wire.reads(kGet);
  wire.writes("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
  wire.writes_unseen(1'000);
  const auto last_byte = wire.now();
  wire.we_close();
  EXPECT_EQ(only().outcome, Outcome::kComplete);
  EXPECT_EQ(only().last_response, last_byte);
}

TEST_F(Ends, EveryPipelinedRequestIsSettled) {
  wire.reads("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
  wire.writes(kOk);
  wire.is_over(EPIPE);
  EXPECT_THAT(statuses(), ElementsAre(200, 0));
  EXPECT_EQ(sink.exchanges[1].outcome, Outcome::kAbortedByPeer);
  EXPECT_EQ(tracker.size(), 0u);
  EXPECT_EQ(count(Counter::kConnectionsClosed), 1u);
}

TEST_F(Ends, IdleConnectionsEndSilently) {
  wire.reads(kGet);
  wire.writes(kOk);
  wire.peer_closes();
  wire.is_over();
  EXPECT_THAT(sink.exchanges, SizeIs(1));
  EXPECT_EQ(tracker.size(), 0u);
}

TEST_F(Ends, OtherProtocolsAreNone) {
  wire.writes("220 mail ready\r\n");
  wire.reads("EHLO client\r\n");
  wire.writes("250 OK\r\n");
  Wire tls(tracker, 8);
  tls.writes("\x16\x03\x01\x02");
  Wire http2(tracker, 9);
  http2.reads("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  Wire redis(tracker, 10);
  redis.reads("PING\r\n");
  EXPECT_EQ(count(Counter::kChunksNotProtocol), 6u);
  EXPECT_EQ(count(ProtocolCounter::kParseErrorRequest), 0u);
}

TEST_F(Ends, AConnectionOlderThanTheAgentBeginsAtItsNextRequest) {
  // Positions count from the first byte seen: the rest of an upload, then its answer.
  wire.reads_unseen(5'000);
  wire.writes(kOk);
  EXPECT_EQ(count(ProtocolCounter::kOrphanResponse), 1u);
  wire.reads(kGet);
  wire.writes(kOk);
  EXPECT_EQ(only().role, Role::kServer);
}

TEST_F(Ends, TheFirstRequestComesBehindWhatAProxySays) {
  const std::string v2 = std::string("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", 16) + "client, port";
  wire.reads("PROXY TCP4 192.0.2.1 192.0.2.2 4242 80\r\n");
  wire.reads("GET /apart HTTP/1.1\r\n\r\n");
  wire.writes(kOk);
  Wire same(tracker, 8);
  same.reads(v2 + "GET /same HTTP/1.1\r\n\r\n");
  same.writes(kOk);
  same.reads(kGet);
  same.writes(kOk);
  EXPECT_THAT(paths(), ElementsAre("/apart", "/same", "/cart"));
  EXPECT_EQ(sink.exchanges[1].request_sequence, 1'000u + 28u) << "of the request's first byte";
}

TEST_F(Ends, TheFirstRequestComesBehindAnythingShort) {
  wire.writes("\x01\x02 hello");
  wire.writes(kGet);
  wire.reads(kOk);
  EXPECT_EQ(only().role, Role::kClient);
  EXPECT_EQ(count(Counter::kChunksNotProtocol), 1u);
}

TEST_F(Ends, MethodsOfAnySpelling) {
  wire.reads("get /lower HTTP/1.1\r\n\r\n");
  wire.writes(kOk);
  wire.reads("M-SEARCH * HTTP/1.1\r\n\r\n");
  wire.writes(kOk);
  wire.reads(kGet);
  wire.writes(kOk);
  ASSERT_THAT(sink.exchanges, SizeIs(3));
  EXPECT_EQ(sink.exchanges[0].operation.method, Method::kOther);
  EXPECT_EQ(sink.exchanges[0].operation.method_original.view(), "get");
  EXPECT_EQ(sink.exchanges[1].operation.method_original.view(), "M-SEARCH");
  EXPECT_TRUE(sink.exchanges[2].operation.method_original.empty());
}

TEST_F(Ends, WordsAreNoMethods) {
  wire.reads("get key\r\n");
  wire.writes("VALUE key 0 2\r\nok\r\nEND\r\n");
  wire.reads("set /etc/motd 0 0 2\r\nok\r\n");
  EXPECT_EQ(count(Counter::kChunksNotProtocol), 3u);
  EXPECT_EQ(count(ProtocolCounter::kParseErrorRequest), 0u);
}

TEST_F(Ends, RequestLookAlikesInsideARunOfAnUnknownConnectionAreNone) {
  wire.reads_unseen(5'000);
  wire.reads(kGet);  // the same run: part of an upload
  EXPECT_EQ(count(Counter::kChunksNotProtocol), 1u);
}

TEST_F(Ends, WhatIsNoRequestIsCountedAndItsAnswerHasNoLink) {
  wire.reads(kGet);
  wire.writes(kOk);
  wire.reads("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n");
  wire.writes("HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n");
  wire.reads("BAD LINE\r\n\r\n");
  EXPECT_THAT(statuses(), ElementsAre(200, 400)) << "an odd request has its answer";
  EXPECT_EQ(count(ProtocolCounter::kParseErrorFraming), 1u);
  EXPECT_EQ(count(ProtocolCounter::kParseErrorRequest), 1u);
  EXPECT_EQ(count(Counter::kChunksParseError), 2u);
  EXPECT_EQ(count(ProtocolCounter::kOrphanResponse), 0u);
  wire.writes(kOk);
  EXPECT_EQ(count(ProtocolCounter::kOrphanResponse), 1u);
  wire.reads(kGet);
  wire.writes(kOk);
  EXPECT_THAT(statuses(), ElementsAre(200, 400, 200));
}

TEST_F(Ends, AnInvalidAnswerIsCounted) {
  wire.reads(kGet);
  wire.writes("HTTP/1.1 OK\r\n\r\n");
  EXPECT_EQ(count(ProtocolCounter::kParseErrorResponse), 1u);
  EXPECT_EQ(count(ProtocolCounter::kOrphanRequest), 1u);
  EXPECT_THAT(sink.exchanges, IsEmpty());
}

TEST_F(Ends, RequestsOverTheBoundAreCountedAndTheRestStaysInOrder) {
  std::string requests;
  std::string answers;
  for (int i = 0; i < 70; ++i) {
    requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\n\r\n";
    answers += "HTTP/1.1 " + std::to_string(400 + i) + " X\r\nContent-Length: 1\r\n\r\nx";
  }
  wire.reads(requests);
  wire.writes(answers);
  ASSERT_THAT(sink.exchanges, SizeIs(64));
  EXPECT_EQ(sink.exchanges[63].operation.status, 463);
  EXPECT_EQ(count(ProtocolCounter::kRequestsUnansweredOverflow), 6u);
  wire.reads("GET /after HTTP/1.1\r\n\r\n");
  wire.writes(kOk);
  EXPECT_EQ(sink.exchanges.back().operation.name.view(), "/after");
}

TEST_F(Ends, TheTableIsBounded) {
  ConnectionTracker small(sink, counters, protocols(), {.connections = 64});
  for (SocketId socket = 1; socket <= 200; ++socket)
    Wire(small, socket).reads(kGet);
  EXPECT_EQ(small.size(), 64u);
  EXPECT_EQ(count(Counter::kConnectionsOverShare), 136u);
  EXPECT_EQ(count(ProtocolCounter::kOrphanRequest), 136u);
  EXPECT_EQ(small.open_exchanges().size(), 64u);
}

TEST_F(Ends, IncompleteHeadsAreBounded) {
  ConnectionTracker small(sink, counters, protocols(), {.incomplete_heads = 32});
  for (SocketId socket = 1; socket <= 20; ++socket)
    Wire(small, socket).reads("GET / HT");
  EXPECT_EQ(count(Counter::kHeadBlocksOverShare), 4u) << "one process alone gets half";
  for (SocketId socket = 1; socket <= 20; ++socket)
    Wire(small, socket).is_over();
  Wire late(small, 30);
  late.reads("GET / HT");
  late.reads("TP/1.1\r\n\r\n");
  late.writes(kOk);
  EXPECT_THAT(sink.exchanges, SizeIs(1));
}

TEST_F(Ends, IdleConnectionsAreForgotten) {
  ConnectionTracker brief(sink, counters, protocols(), {.idle_timeout = std::chrono::seconds(1)});
  Wire one(brief, 1);
  one.reads(kGet);
  brief.sweep(one.now() + std::chrono::milliseconds(900));
  EXPECT_EQ(brief.size(), 1u);
  brief.sweep(one.now() + std::chrono::milliseconds(1'100));
  EXPECT_EQ(brief.size(), 0u);
  EXPECT_EQ(count(ProtocolCounter::kOrphanRequest), 1u);
}

TEST_F(Ends, TheTableFindsEveryConnectionAfterMany) {
  ConnectionTable table(1'000);
  Tenant process;
  for (SocketId id = 1; id <= 1'000; ++id)
    ASSERT_NE(table.insert(id * 3, process), nullptr);
  EXPECT_EQ(table.insert(9'999, process), nullptr);
  for (SocketId id = 1; id <= 1'000; id += 2)
    table.erase(id * 3);
  for (SocketId id = 1; id <= 1'000; ++id)
    EXPECT_EQ(table.find(id * 3) != nullptr, id % 2 == 0) << id;
  EXPECT_EQ(table.size(), 500u);
}

}  // namespace
}  // namespace exa
