// Keep-alive, pipelining, framing and splits: what makes a message, with every byte captured.
#include <string>

#include "tests/unit/connection/tracker_fixture.h"

namespace exa {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Messages : public testing::TrackerFixture {};

TEST_F(Messages, KeepAliveGivesOneExchangeEach) {
  for (int i = 0; i < 5; ++i) {
    wire.reads(kGet);
    wire.writes(kOk);
  }
  EXPECT_THAT(sink.exchanges, SizeIs(5));
  EXPECT_EQ(count(Counter::kChunksBelonging), 10u);
  EXPECT_EQ(tracker.open_exchanges().size(), 0u);
}

TEST_F(Messages, PipelinedRequestsAreAnsweredInOrder) {
  wire.reads("GET /1 HTTP/1.1\r\n\r\nHEAD /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n");  // 1001
  wire.writes(
      "HTTP/1.1 200 A\r\nContent-Length: 1\r\n\r\naHTTP/1.1 201 B\r\nContent-Length: 9\r\n\r\n");
  wire.writes("HTTP/1.1 404 C\r\nContent-Length: 0\r\n\r\n");  // 1003

  EXPECT_THAT(paths(), ElementsAre("/1", "/2", "/3"));
  EXPECT_THAT(statuses(), ElementsAre(200, 201, 404));
  EXPECT_EQ(sink.exchanges[0].request_sequence, 1'000u);
  EXPECT_EQ(sink.exchanges[1].request_sequence, 1'019u);
  EXPECT_TRUE(sink.exchanges[0].arrival.known());
  EXPECT_FALSE(sink.exchanges[1].arrival.known()) << "only the chunk's first byte has an arrival";
  EXPECT_EQ(sink.exchanges[1].last_response, testing::ms(1002));
  EXPECT_EQ(sink.exchanges[2].last_response, testing::ms(1003));
}

TEST_F(Messages, InterimResponsesDoNotAnswer) {
  wire.reads("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");  // 1001
  wire.writes("HTTP/1.1 100 Continue\r\n\r\n");                                        // 1002
  wire.reads("body");                                                                  // 1003
  wire.writes("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");                          // 1004
  EXPECT_THAT(sink.exchanges, IsEmpty());
  wire.writes(kOk);  // 1005

  EXPECT_EQ(only().operation.status, 200);
  EXPECT_EQ(only().read, testing::ms(1001));
  EXPECT_EQ(only().first_response, testing::ms(1005));
}

TEST_F(Messages, ABodyRefusedBeforeItWasSentLeavesRoomForTheNextRequest) {
  wire.reads("POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 400\r\n\r\n");
  wire.writes("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
  wire.reads("GET /b HTTP/1.1\r\n\r\n");
  wire.writes(kOk);
  EXPECT_THAT(paths(), ElementsAre("/a", "/b"));
}

TEST_F(Messages, BodilessAnswersEndWithTheirHead) {
  for (const char* status : {"204 No Content", "304 Not Modified"}) {
    wire.reads(kGet);
    wire.writes("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: 100\r\n\r\n");
  }
  EXPECT_THAT(statuses(), ElementsAre(204, 304));
}

TEST_F(Messages, EarlyAnswersDoNotDisturbTheBodyThatStillComes) {
  wire.reads("POST /a HTTP/1.1\r\nContent-Length: 10\r\n\r\n12345");
  wire.writes("HTTP/1.1 413 Large\r\nContent-Length: 0\r\n\r\n");
  wire.reads("GET /");  // still body
  wire.reads("GET /b HTTP/1.1\r\n\r\n");
  wire.writes(kOk);
  EXPECT_THAT(paths(), ElementsAre("/a", "/b"));
  EXPECT_THAT(statuses(), ElementsAre(413, 200));
}

TEST_F(Messages, ChunkedEndsWithItsLastChunk) {
  wire.reads("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  wire.writes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  wire.writes("5;x=y\r\nhello\r\n");
  EXPECT_THAT(sink.exchanges, IsEmpty());
  wire.writes("0\r\nTrailer: x\r\n\r\n");
  EXPECT_EQ(only().last_response, wire.now());
  EXPECT_EQ(only().response_body_bytes, 5u)
      << "chunk sizes, extensions and trailers are none of it";
}

TEST_F(Messages, CloseDelimitedEndsWithTheClose) {
  wire.reads("GET / HTTP/1.0\r\n\r\n");
  wire.writes("HTTP/1.0 200 OK\r\n\r\nsome");  // 1002
  wire.writes("body");                         // 1003
  EXPECT_THAT(sink.exchanges, IsEmpty());
  wire.we_close();
  EXPECT_EQ(only().outcome, Outcome::kComplete);
  EXPECT_EQ(only().protocol_version, ProtocolVersion::k10);
  EXPECT_EQ(only().last_response, testing::ms(1003)) << "the last byte, not the close";
}

TEST_F(Messages, ConnectAcceptedIsATunnel) {
  wire.writes("CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n");
  wire.writes("early tunnel bytes");
  wire.reads("HTTP/1.1 200 Established\r\n\r\n");
  wire.writes("\x03query");
  wire.reads("\x02row");

  EXPECT_EQ(only().outcome, Outcome::kUpgraded);
  EXPECT_EQ(only().operation.method, Method::kConnect);
  EXPECT_EQ(only().host.view(), "db:5432");
  EXPECT_EQ(count(Counter::kChunksNotProtocol), 2u);
}

TEST_F(Messages, WhatATunnelCarriesIsRead) {
  wire.writes("CONNECT shop:80 HTTP/1.1\r\nHost: shop:80\r\n\r\n");
  wire.reads("HTTP/1.1 200 Established\r\n\r\n");
  for (int i = 0; i < 2; ++i) {
    wire.writes(kGet);
    wire.reads(kOk);
  }
  ASSERT_THAT(sink.exchanges, SizeIs(3));
  EXPECT_EQ(sink.exchanges[0].outcome, Outcome::kUpgraded);
  for (std::size_t i = 1; i < 3; ++i) {
    EXPECT_EQ(sink.exchanges[i].outcome, Outcome::kComplete);
    EXPECT_EQ(sink.exchanges[i].role, Role::kClient);
    EXPECT_EQ(sink.exchanges[i].operation.method, Method::kGet);
  }
}

TEST_F(Messages, ConnectRefusedGoesOnAsHttp) {
  wire.writes("CONNECT db:5432 HTTP/1.1\r\n\r\n");
  wire.reads("HTTP/1.1 407 Auth\r\nContent-Length: 0\r\n\r\n");
  wire.writes(kGet);
  wire.reads(kOk);
  EXPECT_THAT(statuses(), ElementsAre(407, 200));
}

TEST_F(Messages, SwitchingProtocolsIsAnUpgrade) {
  wire.reads("GET /chat HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  wire.writes("HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x05hello");
  wire.reads("\x81\x85....xxxxx");
  wire.is_over();
  EXPECT_EQ(only().outcome, Outcome::kUpgraded);
  EXPECT_EQ(only().operation.status, 101);
}

TEST_F(Messages, StrayLineEndsBetweenMessagesAreIgnored) {
  wire.reads("\r\n");
  wire.reads(kGet);
  wire.writes(kOk);
  wire.reads("\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
  wire.writes("\r\n" + std::string(kOk));
  EXPECT_THAT(sink.exchanges, SizeIs(2));
  EXPECT_EQ(sink.exchanges[0].request_sequence, 1'002u) << "blank lines are not the request";
}

// Every way to cut a conversation's two heads in three: the result is the same.
TEST_F(Messages, SplitsAtAnyByteMakeNoDifference) {
  const std::vector<std::string> requests = {
      "HEAD /a?b HTTP/1.1\r\nHost: shop\r\n"
      "TraceParent: 00-12345678901234567890123456789012-1234567890123456-01\r\n\r\n",
      "POST /p HTTP/1.1\r\nhost: x\r\nX: a\r\n b\r\nTransfer-Encoding: chunked\r\n\r\n"
      "4\r\nwiki\r\n0\r\n\r\n",
      "\r\nGET http://h:8/z HTTP/1.0\nA: b\n\n",
  };
  const std::string response =
      "HTTP/1.1 201 Made\r\nServer: s\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string body = "2\r\nok\r\n0\r\n\r\n";

  SocketId socket = 100;
  for (const auto& request : requests) {
    const bool head = request.starts_with("HEAD");
    const auto answer = head ? response : response + body;
    const auto converse = [&](const std::vector<std::size_t>& request_cuts,
                              const std::vector<std::size_t>& answer_cuts) {
      sink.exchanges.clear();
      testing::Wire one(tracker, ++socket);
      std::size_t from = 0;
      for (const auto cut : request_cuts) {
        if (cut > from) one.reads(std::string_view(request).substr(from, cut - from));
        from = cut;
      }
      from = 0;
      for (const auto cut : answer_cuts) {
        if (cut > from) one.writes(std::string_view(answer).substr(from, cut - from));
        from = cut;
      }
      one.is_over();
      return only();
    };
    const auto whole = converse({request.size()}, {answer.size()});
    EXPECT_EQ(whole.operation.status, 201);
    const auto check = [&](const Exchange& split, std::size_t a, std::size_t b) {
      EXPECT_EQ(split.operation.method, whole.operation.method)
          << request << " at " << a << ", " << b;
      EXPECT_EQ(split.operation.name, whole.operation.name);
      EXPECT_EQ(split.host, whole.host);
      EXPECT_EQ(split.operation.status, whole.operation.status);
      EXPECT_EQ(split.protocol_version, whole.protocol_version);
      EXPECT_EQ(split.outcome, Outcome::kComplete);
      EXPECT_EQ(split.trace_id, whole.trace_id);
      EXPECT_EQ(split.parent_span_id, whole.parent_span_id);
      EXPECT_EQ(split.request_body_bytes, whole.request_body_bytes);
      EXPECT_EQ(split.response_body_bytes, whole.response_body_bytes);
      EXPECT_EQ(split.request_sequence, whole.request_sequence);
    };
    for (std::size_t a = 0; a <= request.size(); ++a)
      for (std::size_t b = a; b <= request.size(); b += 7)
        check(converse({a, b, request.size()}, {answer.size()}), a, b);
    for (std::size_t a = 0; a <= answer.size(); ++a)
      for (std::size_t b = a; b <= answer.size(); b += 5)
        check(converse({request.size()}, {a, b, answer.size()}), a, b);
    std::vector<std::size_t> every(request.size());
    for (std::size_t i = 0; i < every.size(); ++i)
      every[i] = i + 1;
    check(converse(every, {answer.size()}), 0, 0);
  }
  // The counters of this test went over several conversations.
  EXPECT_EQ(count(Counter::kChunksOrphan), 0u);
  EXPECT_EQ(count(Counter::kChunksParseError), 0u);
  sink.exchanges.resize(count(Counter::kExchanges));
}

}  // namespace
}  // namespace exa
