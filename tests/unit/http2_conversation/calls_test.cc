// Calls of gRPC: which they are, how long they last, and their status.
#include <gmock/gmock.h>

#include "exa/model/rpc_status.h"
#include "tests/unit/http2_conversation/talk_fixture.h"

namespace exa::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string call_block(std::string_view path, std::string_view more = {}) {
  return post_block(path) + field("content-type", "application/grpc") + std::string(more);
}
std::string answer_block() {
  return status_block("200") + field("content-type", "application/grpc+proto");
}

class Http2Calls : public Http2Talk {};

TEST_F(Http2Calls, ACallLastsUntilItsTrailersAndHasTheirStatus) {
  wire.begins();
  wire.client(headers(1, call_block("/shop.Cart/Add")) + data(1, 7, kEndStream));
  wire.server(headers(1, answer_block()) + data(1, 7));
  EXPECT_THAT(sink.exchanges, IsEmpty());
  wire.server(headers(1, field("grpc-status", "5"), kEndStream));
  EXPECT_EQ(only().operation.convention, Convention::kRpc);
  EXPECT_EQ(only().operation.name.view(), "/shop.Cart/Add");
  EXPECT_EQ(only().operation.status, status_of(RpcStatus::kNotFound));
  EXPECT_EQ(only().last_response, wire.now());
}

TEST_F(Http2Calls, ACallMayFailWithItsHeadAlone) {
  wire.begins();
  wire.client(headers(1, call_block("/shop.Cart/Nope"), kEndStream));
  wire.server(headers(1, answer_block() + field("grpc-status", "12"), kEndStream));
  EXPECT_EQ(only().operation.status, status_of(RpcStatus::kUnimplemented));
}

TEST_F(Http2Calls, TheAnswerMayTellAloneThatItIsOne) {
  wire.joins();
  wire.client(headers(7, indexed(3) + indexed(70), kEndStream));
  wire.server(headers(7, answer_block()) + headers(7, field("grpc-status", "0"), kEndStream));
  EXPECT_EQ(only().operation.convention, Convention::kRpc);
  EXPECT_EQ(only().operation.status, status_of(RpcStatus::kOk));
}

TEST_F(Http2Calls, TrailersTellWhereTheHeadsAreNotKnown) {
  wire.joins();
  wire.client(headers(7, indexed(3) + indexed(70), kEndStream));
  wire.server(headers(7, indexed(8) + indexed(71)) + headers(7, indexed(72), kEndStream));
  EXPECT_EQ(only().operation.convention, Convention::kRpc);
  EXPECT_EQ(only().operation.status, 0) << "not known";
}

TEST_F(Http2Calls, BesideOthersOneMayFailWithAHeadThatIsNotKnown) {
  wire.joins();
  const auto ask = headers(7, indexed(3) + indexed(70), kEndStream);
  wire.client(ask + headers(9, indexed(3) + indexed(70), kEndStream));
  wire.server(headers(7, indexed(8) + indexed(71)) + headers(7, indexed(72), kEndStream));
  wire.client(headers(11, indexed(3) + indexed(70), kEndStream));
  wire.server(headers(11, indexed(8) + indexed(73), kEndStream));
  wire.server(headers(9, indexed(8) + indexed(73), kEndStream));
  ASSERT_THAT(sink.exchanges, SizeIs(3));
  EXPECT_EQ(sink.exchanges[1].operation.convention, Convention::kRpc);
  EXPECT_EQ(sink.exchanges[2].operation.convention, Convention::kHttp) << "asked before any other";
}

TEST_F(Http2Calls, APostThatIsKnownIsNone) {
  wire.joins();
  wire.client(headers(7, post_block("/form") + field("content-type", "text/plain") + indexed(70),
                      kEndStream));
  wire.server(headers(7, indexed(8)) + headers(7, indexed(72), kEndStream));
  EXPECT_EQ(only().operation.convention, Convention::kHttp);
}

TEST_F(Http2Calls, GrpcWebIsNone) {
  wire.begins();
  wire.client(headers(1, post_block("/a.B/C") + field("content-type", "application/grpc-web+proto"),
                      kEndStream));
  wire.server(headers(1, status_block("200"), kEndStream));
  EXPECT_EQ(only().operation.convention, Convention::kHttp);
  EXPECT_EQ(only().operation.status, 200);
}

TEST_F(Http2Calls, AClientDerivesTheStatusThatWasNotSent) {
  client_wire.begins();
  client_wire.client(headers(1, call_block("/a.B/C"), kEndStream) +
                     headers(3, call_block("/a.B/C"), kEndStream) +
                     headers(5, call_block("/a.B/C", field("grpc-timeout", "5m")), kEndStream) +
                     headers(7, call_block("/a.B/C"), kEndStream) +
                     headers(9, call_block("/a.B/C", field("grpc-timeout", "5m")), kEndStream));
  client_wire.server(headers(1, status_block("503"), kEndStream));
  client_wire.client(reset(3, 8));
  client_wire.tick(10);
  client_wire.client(reset(5, 8));
  client_wire.server(reset(7, 11));
  client_wire.server(reset(9, 8));
  ASSERT_THAT(sink.exchanges, SizeIs(5));
  EXPECT_EQ(sink.exchanges[0].operation.status, status_of(RpcStatus::kUnavailable));
  EXPECT_EQ(sink.exchanges[1].operation.status, status_of(RpcStatus::kCancelled));
  EXPECT_EQ(sink.exchanges[2].operation.status, status_of(RpcStatus::kDeadlineExceeded));
  EXPECT_EQ(sink.exchanges[3].operation.status, status_of(RpcStatus::kResourceExhausted));
  EXPECT_EQ(sink.exchanges[4].operation.status, status_of(RpcStatus::kDeadlineExceeded))
      << "the server knows the deadline, too";
}

TEST_F(Http2Calls, AnAnswerWithoutTrailersIsAnErrorOfTheClient) {
  client_wire.begins();
  client_wire.client(headers(1, call_block("/a.B/C"), kEndStream));
  client_wire.server(headers(1, answer_block()) + data(1, 7, kEndStream));
  EXPECT_EQ(only().operation.status, status_of(RpcStatus::kInternal));
}

TEST_F(Http2Calls, AServersAnswerWithoutTrailersHasNoStatusThatIsKnown) {
  wire.begins();
  wire.client(headers(1, call_block("/a.B/C"), kEndStream));
  wire.server(headers(1, answer_block()) + data(1, 7, kEndStream));
  EXPECT_EQ(only().operation.status, 0);
}

TEST_F(Http2Calls, AServerThatAnswersWithAnErrorOfHttpSaysThatItFailed) {
  wire.begins();
  wire.client(headers(1, call_block("/a.B/C"), kEndStream));
  wire.server(headers(1, status_block("503")) + data(1, 7, kEndStream));
  EXPECT_EQ(only().operation.convention, Convention::kRpc);
  EXPECT_EQ(only().operation.status, status_of(RpcStatus::kUnavailable));
}

TEST_F(Http2Calls, AServerWhoseCallerLeavesSaysNoStatus) {
  wire.begins();
  wire.client(headers(1, call_block("/a.B/C"), kEndStream));
  wire.client(reset(1, 8));
  EXPECT_EQ(only().operation.status, 0);
  EXPECT_EQ(only().outcome, Outcome::kAbortedByPeer);
}

}  // namespace
}  // namespace exa::testing
