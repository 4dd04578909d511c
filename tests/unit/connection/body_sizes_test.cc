// What was transferred of the bodies of a request and its answer: what the metrics of sizes count.
#include <string>

#include "tests/unit/connection/tracker_fixture.h"

namespace exa {
namespace {

using ::testing::SizeIs;

class BodySizes : public testing::TrackerFixture {};

TEST_F(BodySizes, OfMessagesWithoutABodyAreNothing) {
  wire.reads(kGet);
  wire.writes("HTTP/1.1 204 No Content\r\nX-Filler: 1234567890\r\n\r\n");
  wire.reads("HEAD / HTTP/1.1\r\n\r\n");
  wire.writes("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
  ASSERT_THAT(sink.exchanges, SizeIs(2));
  for (const auto& exchange : sink.exchanges) {
    EXPECT_EQ(exchange.request_body_bytes, 0u);
    EXPECT_EQ(exchange.response_body_bytes, 0u) << "a length is told, but nothing transferred";
  }
}

TEST_F(BodySizes, CountContentAndNoFraming) {
  wire.reads(
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;x=y\r\nabc\r\n4\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n");
  wire.writes("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n12345");
  wire.writes("6789");
  EXPECT_EQ(only().request_body_bytes, 7u);
  EXPECT_EQ(only().response_body_bytes, 9u);
}

TEST_F(BodySizes, CountWhatWasNotCapturedToo) {
  wire.reads("PUT / HTTP/1.1\r\nContent-Length: 5000000\r\n\r\n");
  wire.reads_unseen(5'000'000);
  wire.writes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n" +
                  std::string(0x10000, 'x') + "\r\n0\r\n\r\n",
              1'024);
  wire.reads(kGet);
  wire.writes(kOk);
  ASSERT_THAT(sink.exchanges, SizeIs(2));
  EXPECT_EQ(sink.exchanges[0].request_body_bytes, 5'000'000u);
  EXPECT_GE(sink.exchanges[0].response_body_bytes, 0x10000u);
  EXPECT_LE(sink.exchanges[0].response_body_bytes, 0x10000u + 5)
      << "the last chunk was not captured";
}

TEST_F(BodySizes, OfARequestThatIsAnsweredBeforeItHasComeAreUnknown) {
  wire.reads("POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\nabc");
  wire.writes(kOk);
  wire.reads("def");
  wire.reads("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc");
  wire.writes(kOk);
  ASSERT_THAT(sink.exchanges, SizeIs(2));
  EXPECT_EQ(sink.exchanges[0].request_body_bytes, kUnknownBytes);
  EXPECT_EQ(sink.exchanges[1].request_body_bytes, 3u);
}

TEST_F(BodySizes, OfAnAnswerThatBrokeOffAreWhatCame) {
  wire.reads(kGet);
  wire.writes("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n1234567");
  wire.is_over();
  EXPECT_EQ(only().response_body_bytes, 7u);
}

TEST_F(BodySizes, AreUnknownWhereNobodySawHowTheyBegin) {
  wire.reads("POST /long HTTP/1.1\r\nCookie: " + std::string(5'000, 'c') +
                 "\r\nContent-Length: 3\r\n\r\nabc",
             4'096);
  wire.is_over();
  EXPECT_EQ(only().request_body_bytes, kUnknownBytes);
  EXPECT_EQ(only().response_body_bytes, kUnknownBytes) << "there was no answer";
}

TEST_F(BodySizes, AreUnknownBehindAChunkThatIsNone) {
  wire.reads("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nno size\r\n");
  wire.writes(kOk);
  EXPECT_EQ(only().request_body_bytes, kUnknownBytes);
}

}  // namespace
}  // namespace exa
