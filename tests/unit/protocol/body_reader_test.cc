#include "agent/protocol/http1/body_reader.h"

#include <gtest/gtest.h>

#include <string>

namespace exa::http1 {
namespace {

BodyReader reader_of(BodyKind kind, std::uint64_t length_bytes = 0) {
  BodyReader reader;
  reader.start({kind, length_bytes});
  return reader;
}

TEST(BodyReader, CountsALength) {
  auto reader = reader_of(BodyKind::kLength, 5);
  EXPECT_EQ(reader.consume("abc").status, ParseStatus::kNeedMore);
  const auto result = reader.consume("deNEXT");
  EXPECT_EQ(result.status, ParseStatus::kMessage);
  EXPECT_EQ(result.consumed_bytes, 2u);
}

TEST(BodyReader, CountsALengthThroughGaps) {
  auto reader = reader_of(BodyKind::kLength, 50'000'000'000);
  EXPECT_EQ(reader.skip(49'999'999'999).status, SkipStatus::kInside);
  auto exact = reader;
  EXPECT_EQ(exact.skip(1).status, SkipStatus::kEnd);
  const auto past = reader.skip(4);
  EXPECT_EQ(past.status, SkipStatus::kPastEnd);
  EXPECT_EQ(past.past_end_bytes, 3u);
}

class Chunked : public ::testing::TestWithParam<const char*> {};

TEST_P(Chunked, EndsAtTheSameByteHoweverItIsSplit) {
  const std::string body = GetParam();
  const std::string text = body + "HTTP/1.1";
  for (std::size_t first = 0; first <= body.size(); ++first) {
    for (std::size_t second = first; second <= body.size(); ++second) {
      auto reader = reader_of(BodyKind::kChunked);
      const auto parts = {text.substr(0, first), text.substr(first, second - first),
                          text.substr(second)};
      std::size_t consumed = 0;
      auto status = ParseStatus::kNeedMore;
      for (const auto& part : parts) {
        if (status != ParseStatus::kNeedMore) break;
        const auto result = reader.consume(part);
        consumed += result.consumed_bytes;
        status = result.status;
      }
      EXPECT_EQ(status, ParseStatus::kMessage);
      EXPECT_EQ(consumed, body.size());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, Chunked,
    ::testing::Values("0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n",
                      "A;name=\"v\"\r\n0123456789\r\n000\r\n\r\n",
                      "3 \t\r\nabc\r\n1;x\r\nd\r\n0\r\nDigest: x\r\nB: c\r\n\r\n", "2\nab\n0\n\n",
                      "2\nab\r\n0\r\nX: y\n\r\n"));

TEST(BodyReader, RejectsBrokenChunks) {
  for (const char* body : {"x\r\n", "\r\n", " 5\r\n", "-1\r\n", "0x5\r\n", "5\rX", "5 5\r\n",
                           "1\r\nabc", "1\r\na\rb", "1000000000000000\r\n",
                           "ffffffffffffffffffffffff\r\n", "0\r\n\rX", "5;a\rb\r\n", ";x\r\n"}) {
    auto reader = reader_of(BodyKind::kChunked);
    EXPECT_EQ(reader.consume(body).status, ParseStatus::kInvalid) << body;
  }
}

TEST(BodyReader, BoundsExtensionsAndTrailers) {
  auto extension = reader_of(BodyKind::kChunked);
  EXPECT_EQ(extension.consume("5;" + std::string(70'000, 'x')).status, ParseStatus::kInvalid);
  auto trailers = reader_of(BodyKind::kChunked);
  EXPECT_EQ(trailers.consume("0\r\n" + std::string(70'000, 'x')).status, ParseStatus::kInvalid);
}

TEST(BodyReader, ChunkedGoesThroughGapsInContent) {
  auto reader = reader_of(BodyKind::kChunked);
  reader.consume("10\r\n");
  EXPECT_EQ(reader.skip(10).status, SkipStatus::kInside);
  auto with_line_end = reader;
  EXPECT_EQ(with_line_end.skip(8).status, SkipStatus::kInside) << "the CRLF behind it is certain";
  EXPECT_EQ(with_line_end.consume("0\r\n\r\n").status, ParseStatus::kMessage);
  EXPECT_EQ(reader.skip(6).status, SkipStatus::kInside);
  EXPECT_EQ(reader.consume("\r\n0\r\n\r\n").status, ParseStatus::kMessage);
}

TEST(BodyReader, ChunkedLosesItsFramingInAGap) {
  auto reader = reader_of(BodyKind::kChunked);
  reader.consume("10\r\n");
  EXPECT_EQ(reader.skip(19).status, SkipStatus::kFramingLost);
  EXPECT_EQ(reader.kind(), BodyKind::kLostChunks);
  EXPECT_EQ(reader.consume("0\r\n\r\n").status, ParseStatus::kNeedMore) << "no guess any more";
}

TEST(BodyReader, UntilCloseHasNoEnd) {
  auto reader = reader_of(BodyKind::kUntilClose);
  EXPECT_EQ(reader.consume("HTTP/1.1 200 OK\r\n\r\n").status, ParseStatus::kNeedMore);
  EXPECT_EQ(reader.skip(UINT64_MAX).status, SkipStatus::kInside);
}

}  // namespace
}  // namespace exa::http1
