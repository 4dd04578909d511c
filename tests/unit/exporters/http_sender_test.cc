#include "exporters/otlp/http_sender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporters/encoding/gzip.h"
#include "exporters/queue/retry_after.h"
#include "tests/unit/exporters/fault_server.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using Then = FaultyAnswer::Then;
using testing::HasSubstr;
using testing::Not;

std::unique_ptr<Sender> sender_to(const std::string& url, OtlpSignalSettings settings = {}) {
  settings.url = url;
  auto sender = HttpSender::make(settings);
  EXPECT_TRUE(sender.has_value());
  return std::move(*sender);
}

OtlpSignalSettings quick() {
  OtlpSignalSettings settings;
  settings.timeout = 400ms;
  return settings;
}

SendOutcome outcome_of(const FaultyAnswer& answer, OtlpSignalSettings settings = {}) {
  FaultServer server([&](int) { return answer; });
  return sender_to(server.url(), settings)->send("spans");
}

// partial_success { rejected_spans: n, error_message: "no room" }
std::string partial_success(const std::string& rejected_varint) {
  const std::string inner = "\x08" + rejected_varint + "\x12\x07no room";
  std::string message = "\x0a";
  message += static_cast<char>(inner.size());
  return message + inner;
}

TEST(HttpSender, PostsAGzippedProtobufToItsUrl) {
  FaultServer server([](int) { return FaultyAnswer{.bytes = http_answer(200)}; });
  const auto sender = sender_to(server.url() + "/otlp/v1/traces",
                                {.headers = {{"Authorization", "Bearer s3cret"}, {"X-Empty", ""}}});
  EXPECT_EQ(sender->send("spans").status, SendStatus::kDelivered);
  const std::string request = server.requests().at(0);
  EXPECT_THAT(request, testing::StartsWith("POST /otlp/v1/traces HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("Content-Type: application/x-protobuf\r\n"));
  EXPECT_THAT(request, HasSubstr("Content-Encoding: gzip\r\n"));
  EXPECT_THAT(request, HasSubstr("User-Agent: exemplar-agent/0.1.0\r\n"));
  EXPECT_THAT(request, HasSubstr("Authorization: Bearer s3cret\r\n"));
  EXPECT_THAT(request, HasSubstr("X-Empty:\r\n"));
  EXPECT_THAT(request, Not(HasSubstr("Accept-Encoding")));
  EXPECT_THAT(request, Not(HasSubstr("Expect")));
  EXPECT_TRUE(request.ends_with(*gzip("spans")));
}

TEST(HttpSender, SendsPlainBytesWithoutCompression) {
  OtlpSignalSettings settings;
  settings.compression = OtlpCompression::kNone;
  FaultServer server([](int) { return FaultyAnswer{.bytes = http_answer(200)}; });
  EXPECT_EQ(sender_to(server.url(), settings)->send("spans").status, SendStatus::kDelivered);
  EXPECT_TRUE(server.requests().at(0).ends_with("\r\n\r\nspans"));
}

struct StatusCase {
  int status;
  SendStatus expected;
};
class HttpStatus : public testing::TestWithParam<StatusCase> {};
TEST_P(HttpStatus, DecidesWhatBecomesOfTheBatch) {
  const auto outcome = outcome_of({.bytes = http_answer(GetParam().status)});
  EXPECT_EQ(outcome.status, GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(
    All, HttpStatus,
    testing::Values(StatusCase{200, SendStatus::kDelivered},
                    StatusCase{202, SendStatus::kDelivered}, StatusCase{307, SendStatus::kRefused},
                    StatusCase{400, SendStatus::kRefused}, StatusCase{401, SendStatus::kRefused},
                    StatusCase{404, SendStatus::kRefused}, StatusCase{408, SendStatus::kRefused},
                    StatusCase{413, SendStatus::kTooLarge}, StatusCase{429, SendStatus::kRetry},
                    StatusCase{500, SendStatus::kRefused}, StatusCase{501, SendStatus::kRefused},
                    StatusCase{502, SendStatus::kRetry}, StatusCase{503, SendStatus::kRetry},
                    StatusCase{504, SendStatus::kRetry}));

TEST(HttpSender, HandsOnRetryAfter) {
  const auto pause = [](const std::string& value) {
    return outcome_of({.bytes = http_answer(503, "retry-after: " + value + "\r\n")}).retry_after;
  };
  EXPECT_EQ(pause("7"), 7s);
  EXPECT_EQ(pause("99999999999999999999"), kLongestRetryAfter);
  EXPECT_EQ(pause("Sun, 06 Nov 1994 08:49:37 GMT"), 0s);
  EXPECT_EQ(pause("Fri, 31 Dec 2100 23:59:59 GMT"), kLongestRetryAfter);
  EXPECT_EQ(pause("-5"), std::nullopt);
  EXPECT_EQ(pause("soon"), std::nullopt);
}

TEST(HttpSender, CountsWhatAPartialSuccessRejects) {
  const auto outcome = outcome_of({.bytes = http_answer(200, "", partial_success("\x03"))});
  EXPECT_EQ(outcome.status, SendStatus::kDelivered);
  EXPECT_EQ(outcome.rejected, 3u);
  EXPECT_THAT(outcome.text, HasSubstr("no room"));
  // A negative count is none.
  const auto negative = outcome_of(
      {.bytes = http_answer(200, "", partial_success("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))});
  EXPECT_EQ(negative.status, SendStatus::kDelivered);
  EXPECT_EQ(negative.rejected, 0u);
}

TEST(HttpSender, ReadsAReplyInJson) {
  const auto outcome =
      outcome_of({.bytes = http_answer(200, "Content-Type: application/json\r\n",
                                       R"({"partialSuccess":{"rejectedSpans":"2"}})")});
  EXPECT_EQ(outcome.status, SendStatus::kDelivered);
  EXPECT_EQ(outcome.rejected, 2u);
}

TEST(HttpSender, RefusesToBelieveASuccessThatIsNotOtlp) {
  const std::string page = "<html>Please log in</html>";
  EXPECT_EQ(outcome_of({.bytes = http_answer(200, "", page)}).trouble, SendTrouble::kBadReply);
  EXPECT_EQ(outcome_of({.bytes = http_answer(200, "", page)}).status, SendStatus::kRefused);
  const auto bomb = gzip(std::string(50u << 20, '\0'));
  const auto bombed = outcome_of(
      {.bytes = http_answer(200, "Content-Encoding: gzip\r\n", bomb->substr(0, 60'000))});
  EXPECT_EQ(bombed.status, SendStatus::kRefused);
  const auto endless =
      outcome_of({.bytes = "HTTP/1.1 200 OK\r\n\r\n", .endless = true, .then = Then::kClose});
  EXPECT_EQ(endless.status, SendStatus::kRefused);
  EXPECT_EQ(endless.trouble, SendTrouble::kBadReply);
  const auto endless_head =
      outcome_of({.bytes = "HTTP/1.1 200 OK\r\nX: ", .endless = true, .then = Then::kClose});
  EXPECT_NE(endless_head.status, SendStatus::kDelivered);
}

TEST(HttpSender, TriesAgainAfterAnAnswerCutShort) {
  const auto cut = outcome_of(
      {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n\x0a", .then = Then::kReset});
  EXPECT_EQ(cut.status, SendStatus::kRetry);
  EXPECT_EQ(outcome_of({.bytes = "", .then = Then::kClose}).status, SendStatus::kRetry);
  EXPECT_EQ(outcome_of({.bytes = "", .then = Then::kReset}).status, SendStatus::kRetry);
  EXPECT_EQ(outcome_of({.bytes = "garbage\r\n\r\n", .then = Then::kClose}).status,
            SendStatus::kRetry);
}

TEST(HttpSender, TakesTheStatusOfAnAnswerCutShortThatRefuses) {
  const auto cut = outcome_of(
      {.bytes = "HTTP/1.1 400 Bad\r\nContent-Length: 100\r\n\r\nno", .then = Then::kReset});
  EXPECT_EQ(cut.status, SendStatus::kRefused);
}

TEST(HttpSender, GivesUpAtItsTimeout) {
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(outcome_of({.bytes = "", .then = Then::kHold}, quick()).status, SendStatus::kRetry);
  EXPECT_EQ(outcome_of({.bytes = http_answer(200), .one_byte_a_pause = true}, quick()).status,
            SendStatus::kRetry);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 3s);
}

TEST(HttpSender, TriesAgainWhereNobodyListensOrNobodyIs) {
  std::string url;
  {
    FaultServer gone([](int) { return FaultyAnswer{}; });
    url = gone.url();
  }
  EXPECT_EQ(sender_to(url)->send("spans").status, SendStatus::kRetry);
  const auto nowhere = sender_to("http://backend.invalid:4318", quick())->send("spans");
  EXPECT_EQ(nowhere.status, SendStatus::kRetry);
  EXPECT_EQ(nowhere.trouble, SendTrouble::kUnreachable);
}

TEST(HttpSender, EndsByTheDeadlineItIsGivenMeanwhile) {
  FaultServer server([](int) { return FaultyAnswer{.bytes = "", .then = Then::kHold}; });
  const auto sender = sender_to(server.url());
  const auto began = std::chrono::steady_clock::now();
  std::thread stopper([&] {
    server.wait_for_requests(1);
    sender->finish_by(std::chrono::steady_clock::now() + 50ms);
  });
  EXPECT_EQ(sender->send("spans").status, SendStatus::kRetry);
  stopper.join();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 3s);
}

TEST(HttpSender, RepeatsNoSecretInItsText) {
  for (const int status : {200, 400, 503}) {
    FaultServer server([&](int) { return FaultyAnswer{.bytes = http_answer(status, "", "junk")}; });
    const std::string url = "http://user:hunter2@127.0.0.1:" + std::to_string(server.port());
    const auto outcome = sender_to(url, {.headers = {{"api-key", "s3cret"}}})->send("spans");
    EXPECT_FALSE(outcome.text.empty());
    EXPECT_THAT(outcome.text, Not(HasSubstr("hunter2")));
    EXPECT_THAT(outcome.text, Not(HasSubstr("s3cret")));
  }
}

TEST(HttpSender, RefusesAHeaderThatWouldSplitTheRequest) {
  for (const OtlpHeaders& headers :
       {OtlpHeaders{{"a", "s3cret\r\nX: y"}}, {{"a b", "c"}}, {{"", "c"}}, {{"a\n", "c"}}}) {
    const auto sender = HttpSender::make({.url = "http://127.0.0.1:1", .headers = headers});
    ASSERT_FALSE(sender.has_value());
    EXPECT_THAT(sender.error().text, Not(HasSubstr("s3cret")));
  }
}

}  // namespace
}  // namespace exa
