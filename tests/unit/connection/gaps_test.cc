// Bytes that were not captured: counted through where the framing allows, never guessed elsewhere.
#include <string>

#include "agent/semantics/semantics.h"
#include "tests/unit/connection/tracker_fixture.h"

namespace exa {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Gaps : public testing::TrackerFixture {
 protected:
  static constexpr std::string_view kLarge = "HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n";
  static constexpr std::string_view kStreamed =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
};

TEST_F(Gaps, ALengthIsCountedAndEndsAtItsLastByte) {
  wire.reads(kGet);                // 1001
  wire.writes(kLarge);             // 1002
  wire.writes_unseen(49'999'000);  // 1003
  wire.writes_unseen(1'000);       // 1004
  wire.reads(kGet);                // 1005 tells how far the answer came
  EXPECT_EQ(only().last_response, testing::ms(1004));
  EXPECT_EQ(only().response_body_bytes, 50'000'000u);
}

TEST_F(Gaps, APositionThatReachesTheEndEndsIt) {
  wire.reads(kGet);
  wire.writes(kLarge);
  wire.writes_unseen(49'999'999);
  wire.position();
  EXPECT_THAT(sink.exchanges, IsEmpty());
  wire.writes_unseen(1);
  const auto last_byte = wire.now();
  wire.position();
  EXPECT_EQ(only().last_response, last_byte);
}

TEST_F(Gaps, TheRestOfAChunkIsAGapOfTheSameTime) {
  wire.reads(kGet);
  wire.writes("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + std::string(5'000, 'x'), 1'024);
  EXPECT_EQ(only().last_response, wire.now());
}

TEST_F(Gaps, ARequestBodyIsCountedToo) {
  wire.reads("POST / HTTP/1.1\r\nContent-Length: 9000\r\n\r\n");
  wire.reads_unseen(9'000);
  wire.writes(kOk);
  wire.reads(kGet);
  wire.writes(kOk);
  EXPECT_THAT(sink.exchanges, SizeIs(2));
  EXPECT_EQ(sink.exchanges[0].request_body_bytes, 9'000u);
}

TEST_F(Gaps, ChunkedGoesThroughAGapInsideAChunk) {
  wire.reads(kGet);
  wire.writes(std::string(kStreamed) + "1000\r\n");
  wire.writes_unseen(4'096 + 2);
  wire.writes("0\r\n\r\n");
  EXPECT_EQ(only().last_response, wire.now());
}

TEST_F(Gaps, ChunkedWithItsSizesInAGapEndsBeforeTheNextAnswer) {
  wire.reads(kGet);
  wire.writes(std::string(kStreamed) + "5\r\nhello\r\n");
  wire.writes_unseen(70'000);
  wire.writes_unseen(5);
  const auto last_byte = wire.now();
  wire.reads("GET /next HTTP/1.1\r\n\r\n");
  EXPECT_THAT(sink.exchanges, IsEmpty()) << "the answer might go on";
  wire.writes(kOk);
  ASSERT_THAT(sink.exchanges, SizeIs(2));
  EXPECT_EQ(sink.exchanges[0].last_response, last_byte);
  EXPECT_EQ(sink.exchanges[0].outcome, Outcome::kComplete);
  EXPECT_EQ(sink.exchanges[1].operation.name.view(), "/next");
}

TEST_F(Gaps, ASupposedEndThatIsNoneLinksNothing) {
  wire.reads(kGet);
  wire.writes(std::string(kStreamed) + "5\r\nhello\r\n");
  wire.writes_unseen(70'000);
  wire.reads("GET /pipelined HTTP/1.1\r\n\r\n");
  wire.writes_unseen(70'000);  // the first answer goes on
  wire.writes(kOk);            // of whom?
  EXPECT_THAT(sink.exchanges, IsEmpty());
  EXPECT_EQ(count(ProtocolCounter::kOrphanGap), 2u);
  wire.reads("GET /clean HTTP/1.1\r\n\r\n");
  wire.writes(kOk);
  EXPECT_THAT(paths(), ElementsAre("/clean"));
}

TEST_F(Gaps, ChunkedWithALostEndAndARequestWaitingIsLost) {
  wire.reads("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
  wire.writes(std::string(kStreamed) + "5\r\nhello\r\n");
  wire.writes_unseen(70'000);
  wire.writes(kOk);
  EXPECT_THAT(sink.exchanges, IsEmpty());
  EXPECT_EQ(count(ProtocolCounter::kOrphanGap), 2u);
}

TEST_F(Gaps, ChunkedWithALostEndEndsWithItsLastBytes) {
  wire.reads(kGet);
  wire.writes(std::string(kStreamed) + "5\r\nhello\r\n");
  wire.writes_unseen(70'000);
  wire.writes_last(3'000);
  EXPECT_EQ(only().last_response, wire.now());
  EXPECT_EQ(only().outcome, Outcome::kComplete);
  wire.is_over(ECONNRESET);
  EXPECT_THAT(sink.exchanges, SizeIs(1)) << "whatever becomes of the connection";
}

TEST_F(Gaps, LastBytesSayNothingWhereSeveralAnswersAreAwaited) {
  wire.reads(kGet);
  wire.writes(std::string(kStreamed) + "5\r\nhello\r\n");
  wire.writes_unseen(70'000);
  wire.reads("GET /2 HTTP/1.1\r\n\r\n");
  wire.writes_last(3'000);
  EXPECT_THAT(sink.exchanges, IsEmpty());
  EXPECT_EQ(count(ProtocolCounter::kOrphanGap), 2u);
}

TEST_F(Gaps, LastBytesOfACountedBodyAreItsContent) {
  wire.reads(kGet);
  wire.writes(kLarge);
  wire.writes_last(1'000);
  EXPECT_THAT(sink.exchanges, IsEmpty());
}

TEST_F(Gaps, AChunkedUploadEndsWithItsLastBytes) {
  wire.reads("POST /up HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  wire.reads_unseen(70'000);
  wire.reads_last(3'000);
  wire.reads("GET /next HTTP/1.1\r\n\r\n");  // pipelined
  wire.writes(std::string(kOk) + std::string(kOk));
  EXPECT_THAT(paths(), ElementsAre("/up", "/next"));
}

TEST_F(Gaps, AChunkedAnswerWhoseLastBytesAreNoEndWasCut) {
  wire.reads(kGet);
  wire.writes(std::string(kStreamed) + "5\r\nhello\r\n");
  wire.writes_unseen(70'000);
  wire.end({.egress = true, .final = true, .open = {false, true}});
  EXPECT_EQ(only().outcome, Outcome::kAbortedByUs);
}

TEST_F(Gaps, AfterALostEndNobodyCanTell) {
  wire.reads(kGet);
  wire.writes(std::string(kStreamed) + "5\r\nhello\r\n");
  wire.writes_unseen(70'000);
  wire.is_over(ECONNRESET);
  EXPECT_EQ(only().outcome, Outcome::kUnknown);
  EXPECT_FALSE(is_error(only()));
  EXPECT_EQ(count(Counter::kExchangesUnknownEnd), 1u);
}

TEST_F(Gaps, ABodyThatLooksLikeARequestBehindALongHeadIsABody) {
  wire.reads("POST /long HTTP/1.1\r\nCookie: " + std::string(6'000, 'c') + "\r\n\r\n", 4'096);
  wire.reads("GET /lure HTTP/1.1\r\n\r\n");
  wire.writes(kOk);
  wire.reads(kGet);
  wire.writes(kOk);
  EXPECT_THAT(paths(), ElementsAre("/long", "/cart"));
}

TEST_F(Gaps, ChunkedWithALostEndEndsWithTheConnection) {
  wire.reads(kGet);
  wire.writes(std::string(kStreamed) + "5\r\nhello\r\n");
  wire.writes_unseen(70'000);
  const auto last_byte = wire.now();
  wire.we_close();
  EXPECT_EQ(only().last_response, last_byte);
}

TEST_F(Gaps, AClientThatClosesAfterALostEndCannotTell) {
  wire.writes(kGet);
  wire.reads(std::string(kStreamed) + "5\r\nhello\r\n");
  wire.reads_unseen(70'000);
  wire.is_over();
  EXPECT_EQ(only().outcome, Outcome::kUnknown);
  EXPECT_EQ(only().operation.status, 200);
}

TEST_F(Gaps, ALostAnswerIsAnOrphanAndTheNextRequestIsClean) {
  wire.reads("GET /lost HTTP/1.1\r\n\r\n");
  wire.writes_unseen(kOk.size());  // the ring was full
  wire.reads("GET /lost-too HTTP/1.1\r\n\r\n");
  wire.writes(kOk);
  EXPECT_THAT(sink.exchanges, IsEmpty());
  EXPECT_EQ(count(ProtocolCounter::kOrphanGap), 2u);
  wire.reads("GET /clean HTTP/1.1\r\n\r\n");
  wire.writes(kOk);
  EXPECT_THAT(paths(), ElementsAre("/clean"));
}

// The programs were kept from the call that wrote it: only TCP knows that it moved.
TEST_F(Gaps, AnAnswerThatNobodyToldOfMakesNoPipelining) {
  wire.reads("GET /lost HTTP/1.1\r\n\r\n");
  wire.writes_untold(kOk.size());
  wire.reads("GET /lost-too HTTP/1.1\r\n\r\n");
  wire.writes(kOk);
  wire.reads("GET /clean HTTP/1.1\r\n\r\n");
  wire.writes(kOk);
  EXPECT_THAT(paths(), ElementsAre("/clean"));
}

TEST_F(Gaps, NothingIsLinkedAnyMoreWhereAnswersToPipelinedRequestsWereLost) {
  wire.reads("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n");
  wire.writes(kOk);
  wire.writes_unseen(kOk.size());  // of /2, and perhaps of /3
  wire.reads("GET /4 HTTP/1.1\r\n\r\n");
  wire.writes(kOk);  // of /3 or of /4
  wire.reads("GET /5 HTTP/1.1\r\n\r\n");
  wire.writes(kOk);
  EXPECT_THAT(paths(), ElementsAre("/1"));
}

TEST_F(Gaps, ALostRequestLeavesItsAnswerWithoutALink) {
  wire.reads(kGet);
  wire.writes(kOk);
  wire.reads_unseen(60);  // the ring was full
  wire.writes(kOk);
  wire.reads("GET /clean HTTP/1.1\r\n\r\n");
  wire.writes(kOk);
  EXPECT_THAT(paths(), ElementsAre("/cart", "/clean"));
  EXPECT_EQ(count(ProtocolCounter::kOrphanResponse), 1u);
  EXPECT_EQ(count(Counter::kChunksOrphan), 1u);
}

TEST_F(Gaps, RequestsBeforeALostOneKeepTheirAnswers) {
  wire.reads("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n", 40);
  wire.writes(std::string(kOk) + std::string(kOk) + std::string(kOk));
  EXPECT_THAT(paths(), ElementsAre("/1", "/2"));
  EXPECT_EQ(count(Counter::kHeadTooLong), 0u) << "\"GE\" is no request";
}

TEST_F(Gaps, ABodyThatEndsInsideAGapHasNoCertainTime) {
  wire.reads("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
  wire.writes("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
  wire.writes_unseen(1'100);  // the first body and the second head
  wire.writes("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_THAT(sink.exchanges, IsEmpty());
  EXPECT_EQ(count(ProtocolCounter::kOrphanGap), 2u);
}

TEST_F(Gaps, AHeadOverTheBudgetStillCounts) {
  const std::string cookie = "Cookie: " + std::string(6'000, 'c') + "\r\n";
  wire.reads("GET /long HTTP/1.1\r\nHost: shop\r\n" + cookie + "\r\n", 4'096);
  wire.writes(kOk);
  EXPECT_EQ(only().operation.name.view(), "/long");
  EXPECT_EQ(only().operation.status, 200);
  EXPECT_EQ(count(Counter::kHeadTooLong), 1u);
  EXPECT_EQ(count(Counter::kContextCut), 1u);
  wire.reads(kGet);
  wire.writes(kOk);
  EXPECT_THAT(sink.exchanges, SizeIs(2));
}

TEST_F(Gaps, BehindAHeadOverTheBudgetTheNextRequestMayComeByteByByte) {
  const std::string cookie = "Cookie: " + std::string(6'000, 'c') + "\r\n";
  for (const std::size_t first : {1, 2, 3, 4, 5}) {
    wire.reads("GET /long HTTP/1.1\r\nHost: shop\r\n" + cookie + "\r\n", 4'096);
    wire.writes(kOk);
    wire.reads(kGet.substr(0, first));
    wire.reads(kGet.substr(first));
    wire.writes(kOk);
  }
  EXPECT_THAT(sink.exchanges, SizeIs(10));
  EXPECT_EQ(count(ProtocolCounter::kOrphanResponse), 0u);
}

TEST_F(Gaps, BehindAHeadOverTheBudgetAnAnswerMayBeSpliced) {
  const std::string cookie = "Cookie: " + std::string(6'000, 'c') + "\r\n";
  wire.writes("GET /long HTTP/1.1\r\nHost: shop\r\n" + cookie + "\r\n", 4'096);
  wire.reads("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  wire.writes(kGet);
  wire.reads_unseen(5);  // before the request, but only the next read tells of it
  wire.reads(kOk);
  EXPECT_THAT(statuses(), ElementsAre(200, 200));
  EXPECT_EQ(count(ProtocolCounter::kOrphanResponse), 0u);
}

TEST_F(Gaps, ALongTargetStillCounts) {
  wire.reads("GET /" + std::string(5'000, 'p') + " HTTP/1.1\r\n\r\n", 4'096);
  wire.writes(kOk);
  EXPECT_TRUE(only().operation.name.cut());
  EXPECT_EQ(only().protocol_version, ProtocolVersion::kUnknown);
}

TEST_F(Gaps, AHeadOverTheBudgetInManyPiecesIsTheSame) {
  wire.reads("GET /long HTTP/1.1\r\nCookie: ");
  for (int i = 0; i < 60; ++i)
    wire.reads(std::string(100, 'c'));
  wire.reads("\r\n\r\n");
  wire.writes(kOk);
  EXPECT_EQ(only().operation.name.view(), "/long");
  EXPECT_EQ(only().request_body_bytes, kUnknownBytes) << "nobody saw whether a length was told";
}

TEST_F(Gaps, AnAnswerHeadOverTheBudgetEndsBeforeTheNextAnswer) {
  wire.reads(kGet);
  wire.writes("HTTP/1.1 302 Found\r\nLocation: /" + std::string(9'000, 'l') + "\r\n\r\n", 4'096);
  const auto last_byte = wire.now();
  wire.reads("GET /next HTTP/1.1\r\n\r\n");
  wire.writes(kOk);
  EXPECT_THAT(statuses(), ElementsAre(302, 200));
  EXPECT_EQ(sink.exchanges[0].last_response, last_byte);
}

TEST_F(Gaps, AContextCutByTheLimitIsUnknown) {
  const std::string head =
      "GET / HTTP/1.1\r\ntraceparent: 00-12345678901234567890123456789012-1234567890123456-01";
  wire.reads(head + "\r\n\r\n", head.size());
  wire.writes(kOk);
  EXPECT_FALSE(only().has_context);
  EXPECT_EQ(count(Counter::kContextCut), 1u);
}

TEST_F(Gaps, HalfATraceIdCutByTheLimitIsUnknown) {
  testing::CollectingSink others;
  Counters their_counters;
  ConnectionTracker asked(others, their_counters, protocols(),
                          {.propagators = {Propagator::kDatadog}});
  testing::Wire other(asked);
  const std::string head = "GET / HTTP/1.1\r\nx-datadog-trace-id: 1\r\nx-datadog-parent-id: 2\r\n";
  other.reads(head + "x-datadog-tags: _dd.p.tid=640cfd8d00000000\r\n\r\n", head.size());
  other.writes(kOk);
  ASSERT_EQ(others.exchanges.size(), 1u);
  EXPECT_FALSE(others.exchanges.front().has_context);
  EXPECT_EQ(their_counters.get(Counter::kContextCut), 1u);
}

TEST_F(Gaps, RecordsThatChangedPlacesLoseNothing) {
  wire.reads("GET /1 HTTP/1.1\r\n\r\n");
  const auto answered = wire.tick();
  const auto asked = wire.tick();
  const auto event = [](Direction direction, std::string_view text, std::uint64_t position,
                        MonotonicTime time, DirectionState other) {
    return ChunkEvent{.socket = 7,
                      .time = time,
                      .tgid = 42,
                      .direction = direction,
                      .position = position,
                      .length_bytes = static_cast<std::uint32_t>(text.size()),
                      .bytes = std::as_bytes(std::span(text)),
                      .previous_last_byte = {},
                      .other = other,
                      .arrival = {},
                      .tcp_sequence = 0};
  };
  // One thread's event tells of an answer whose own record, by another thread, comes after it.
  tracker.on_event(
      event(Direction::kIngress, "GET /2 HTTP/1.1\r\n\r\n", 19, asked, {kOk.size(), answered}));
  tracker.on_event(event(Direction::kEgress, kOk, 0, answered, {19, testing::ms(1'001)}));
  EXPECT_THAT(paths(), ElementsAre("/1"));
  EXPECT_EQ(only().last_response, answered);
  EXPECT_EQ(tracker.open_exchanges().size(), 1u);
}

TEST_F(Gaps, APositionBeyondTheMessageWaitsForTheRecordItself) {
  wire.reads("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
  wire.writes("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
  // A sweep sees the body and the second answer before their record is read.
  const std::string rest = "body" + std::string(kOk);
  tracker.on_event(
      PositionEvent{.socket = 7,
                    .time = wire.tick(),
                    .direction = {DirectionState{38, testing::ms(1'001)},
                                  DirectionState{38 + rest.size(), testing::ms(1'002)}}});
  wire.writes(rest);
  EXPECT_THAT(paths(), ElementsAre("/1", "/2"));
  EXPECT_EQ(count(ProtocolCounter::kOrphanGap), 0u);
}

}  // namespace
}  // namespace exa
