// What becomes of a request by the answer of a gRPC server: the table of the OTLP specification.
#include "exporters/otlp/grpc_reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>

namespace exa {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Optional;

struct Call {
  std::string status;
  std::string message{};
  std::string details{};
  std::string body = std::string(5, '\0');  // an empty message
};

SendOutcome outcome_of(const Call& call, long http_status = 200) {
  GrpcReply reply;
  EXPECT_TRUE(reply.take_header("HTTP/2 " + std::to_string(http_status) + " \r\n"));
  EXPECT_TRUE(reply.take_header("content-type: application/grpc\r\n"));
  EXPECT_TRUE(reply.take_body(call.body));
  for (const auto& [name, value] :
       {std::pair("grpc-status", call.status), std::pair("grpc-message", call.message),
        std::pair("grpc-status-details-bin", call.details)})
    EXPECT_TRUE(value.empty() || reply.take_header(std::string(name) + ": " + value + "\r\n"));
  return reply.judge(http_status, std::nullopt, "http://backend:4317");
}

TEST(GrpcReply, EachStatusIsRepeatedOrNot) {
  const std::string retried = "1 4 10 11 14 15";
  for (int status = 1; status <= 16; ++status) {
    const auto outcome = outcome_of({.status = std::to_string(status)});
    const bool is_retried =
        (" " + retried + " ").find(" " + std::to_string(status) + " ") != std::string::npos;
    EXPECT_EQ(outcome.status, is_retried ? SendStatus::kRetry : SendStatus::kRefused) << status;
    EXPECT_FALSE(outcome.retry_after);
  }
  EXPECT_EQ(outcome_of({.status = "0"}).status, SendStatus::kDelivered);
}

TEST(GrpcReply, AnExhaustedQuotaIsWaitedForIfTheServerSaysHowLong) {
  // google.rpc.Status {code 8, details: RetryInfo {7.25 s}}, as gRPC's libraries send it.
  constexpr auto kDetails =
      "CAgaNQoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIJCgcIBxCA5Zp3";
  const auto outcome = outcome_of({.status = "8", .details = kDetails});
  EXPECT_EQ(outcome.status, SendStatus::kRetry);
  EXPECT_THAT(outcome.retry_after, Optional(seconds(8)));
  EXPECT_EQ(outcome_of({.status = "8", .details = std::string(kDetails) + "=="}).status,
            SendStatus::kRetry);
  EXPECT_EQ(outcome_of({.status = "8"}).status, SendStatus::kRefused);
  EXPECT_THAT(outcome_of({.status = "14", .details = kDetails}).retry_after, Optional(seconds(8)));
}

TEST(GrpcReply, WhatIsTooLargeMayBeSentInPieces) {
  for (const char* message : {"grpc: received message larger than max (9000000 vs. 4194304)",
                              "CLIENT: Received message larger than max (9000000 vs. 4194304)",
                              "gRPC message exceeds maximum size 4194304: 9000000"}) {
    const auto outcome = outcome_of({.status = "8", .message = message});
    EXPECT_EQ(outcome.status, SendStatus::kTooLarge) << message;
  }
  constexpr auto kTonic =
      "Error, decoded message length too large: found 9000000 bytes, the limit is: 4194304 bytes";
  for (const char* status : {"8", "11"})
    EXPECT_EQ(outcome_of({.status = status, .message = kTonic}).status, SendStatus::kTooLarge);
}

TEST(GrpcReply, SaysWhatTheServerSays) {
  EXPECT_EQ(outcome_of({.status = "3", .message = "span%20id: caf%C3%A9 %zz"}).text,
            "http://backend:4317 answered INVALID_ARGUMENT: span id: caf.. %zz");
}

TEST(GrpcReply, ASuccessIsProvenByItsMessage) {
  const auto framed = [](std::string message) {
    return std::string("\0\0\0\0", 4) + static_cast<char>(message.size()) + message;
  };
  const auto partial = outcome_of({.status = "0",
                                   .body = framed("\x0a\x08\x08\x07\x12\x04"
                                                  "full")});
  EXPECT_EQ(partial.status, SendStatus::kDelivered);
  EXPECT_EQ(partial.rejected, 7u);
  EXPECT_THAT(partial.text, HasSubstr("rejected 7 items: full"));
  for (const auto& body : {std::string(), std::string("\0\0\0", 3), framed("") + "x",
                           std::string("\1\0\0\0\0", 5), framed("\x0a\x7f")}) {
    const auto outcome = outcome_of({.status = "0", .body = body});
    EXPECT_EQ(outcome.status, SendStatus::kRefused);
    EXPECT_EQ(outcome.trouble, SendTrouble::kBadReply);
    EXPECT_THAT(outcome.text, HasSubstr("is this an OTLP/gRPC receiver?"));
  }
}

TEST(GrpcReply, WhatIsNoGrpcIsJudgedByItsStatusOfHttp) {
  for (const long status : {429, 502, 503, 504})
    EXPECT_EQ(outcome_of({}, status).status, SendStatus::kRetry) << status;
  for (const long status : {200, 302, 401, 404, 500})
    EXPECT_EQ(outcome_of({}, status).status, SendStatus::kRefused) << status;
  EXPECT_THAT(outcome_of({}).text, HasSubstr("answered 200 without a gRPC status"));
  EXPECT_EQ(outcome_of({.status = "17"}).status, SendStatus::kRefused) << "no such code";
  EXPECT_THAT(outcome_of({.status = "17"}).text, HasSubstr("200 with an unknown gRPC status"));
  EXPECT_EQ(outcome_of({.status = "0x"}).status, SendStatus::kRefused);
  EXPECT_EQ(outcome_of({.status = "14"}, 503).status, SendStatus::kRetry);
}

TEST(GrpcReply, AnAnswerThatIsCutShortIsNone) {
  GrpcReply reply;
  EXPECT_TRUE(reply.take_header("HTTP/2 200 \r\n"));
  EXPECT_EQ(reply.judge(200, "stream was reset", "backend").status, SendStatus::kRetry);
  EXPECT_EQ(GrpcReply().judge(0, "connection refused", "backend").status, SendStatus::kRetry);
  EXPECT_TRUE(reply.take_header("grpc-status: 3\r\n"));
  EXPECT_EQ(reply.judge(200, "stream was reset", "backend").status, SendStatus::kRefused)
      << "the verdict had come";
}

TEST(GrpcReply, OnlyTheFinalAnswerCounts) {
  GrpcReply reply;
  EXPECT_TRUE(reply.take_header("HTTP/2 103 \r\n"));
  EXPECT_TRUE(reply.take_header("grpc-status: 3\r\n"));
  EXPECT_TRUE(reply.take_header("HTTP/2 503 \r\n"));
  EXPECT_EQ(reply.judge(503, std::nullopt, "backend").status, SendStatus::kRetry);
}

TEST(GrpcReply, NoAnswerIsTooLong) {
  GrpcReply reply;
  while (reply.take_header("x: " + std::string(1'000, 'y') + "\r\n")) {
  }
  EXPECT_EQ(reply.judge(200, "aborted", "backend").status, SendStatus::kRefused);
  GrpcReply body;
  while (body.take_body(std::string(1'000, 'y'))) {
  }
  EXPECT_EQ(body.judge(200, "aborted", "backend").status, SendStatus::kRefused);
}

TEST(GrpcReply, NothingThatIsSentHarms) {
  std::mt19937_64 random(3);
  const auto noise = [&](std::size_t most) {
    std::string text;
    for (auto size = random() % most; size > 0; --size)
      text += static_cast<char>(random());
    return text;
  };
  const auto base64 = [&](std::size_t most) {
    std::string text;
    for (auto size = random() % most; size > 0; --size)
      text += "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="[random() % 65];
    return text;
  };
  for (int i = 0; i < 20'000; ++i) {
    GrpcReply reply;
    (void)reply.take_header(noise(40));
    (void)reply.take_header("grpc-status:" + noise(4));
    if (random() % 2 == 0) (void)reply.take_header("grpc-status: " + std::to_string(random() % 20));
    (void)reply.take_header("grpc-status-details-bin: " + base64(80));
    (void)reply.take_header("grpc-message: " + noise(40));
    (void)reply.take_body(noise(40));
    const auto outcome = reply.judge(200, std::nullopt, "backend");
    EXPECT_LE(outcome.retry_after.value_or(seconds(0)).count(), 300);
  }
}

}  // namespace
}  // namespace exa
