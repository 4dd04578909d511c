#include "agent/protocol/http1/detect.h"

#include <gtest/gtest.h>

namespace exa {
namespace {

using Verdict = Detection::Verdict;

void expect(std::string_view bytes, Verdict verdict, Side side = Side::kUnclear) {
  const auto detection = http1::detect(bytes);
  EXPECT_EQ(detection.verdict, verdict) << bytes;
  EXPECT_EQ(detection.side, side) << bytes;
}

TEST(Http1Detect, TellsRequestsFromResponses) {
  expect("GET / HTTP/1.1", Verdict::kYes, Side::kRequest);
  expect("M-SEARCH * HTTP/1.1", Verdict::kYes, Side::kRequest);
  expect("get / HTTP/1.1", Verdict::kYes, Side::kRequest);
  expect("get ", Verdict::kNeedMore, Side::kRequest);
  expect("\r\n\r\nGET /", Verdict::kYes, Side::kRequest);
  expect("HTTP/1.1 200", Verdict::kYes, Side::kResponse);
  expect("HTTP/1.", Verdict::kYes, Side::kResponse);
}

TEST(Http1Detect, SkipsEmptyLines) {
  EXPECT_EQ(http1::detect("\r\n\r\nGET /").skipped, 4u);
  EXPECT_EQ(http1::detect("\r\n").skipped, 2u);
  EXPECT_EQ(http1::detect("GET /").skipped, 0u);
}

TEST(Http1Detect, WaitsWhileBytesAreTooFew) {
  expect("", Verdict::kNeedMore);
  expect("\r\n", Verdict::kNeedMore);
  expect("H", Verdict::kNeedMore);
  expect("HTTP/1", Verdict::kNeedMore);
  expect("HE", Verdict::kNeedMore, Side::kRequest);
  expect("GET", Verdict::kNeedMore, Side::kRequest);
}

TEST(Http1Detect, KnowsNothingElse) {
  expect("\x16\x03\x01\x02", Verdict::kNo);
  expect("220 smtp ready", Verdict::kNo);
  expect("SSH-2.0-OpenSSH", Verdict::kNo);
  expect("*3\r\n$3\r\nSET", Verdict::kNo);
  expect("ABCDEFGHIJKLMNOPQRSTUVWXYZ", Verdict::kNo);
  expect("HTTP/2.0 200", Verdict::kNo);
  expect("get key\r\n", Verdict::kNo);
}

}  // namespace
}  // namespace exa
