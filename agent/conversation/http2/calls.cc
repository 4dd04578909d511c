#include "agent/conversation/http2/calls.h"

#include "exa/model/rpc_status.h"

namespace exa::calls {
namespace {

constexpr std::uint32_t kRefusedStream = 7;
constexpr std::uint32_t kCancel = 8;
constexpr std::uint32_t kEnhanceYourCalm = 11;
constexpr std::uint32_t kInadequateSecurity = 12;

// A cancellation in the last sixteenth of the time that a call was given is one by its deadline,
// whoever was first, the caller or the server that knows it too: the caller's clock runs since
// before it said so, and what it says is rounded.
constexpr std::uint64_t kTimeoutSlack = 16;

// https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md
RpcStatus status_of_answer(std::uint16_t status) {
  switch (status) {
    case 400:
      return RpcStatus::kInternal;
    case 401:
      return RpcStatus::kUnauthenticated;
    case 403:
      return RpcStatus::kPermissionDenied;
    case 404:
      return RpcStatus::kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return RpcStatus::kUnavailable;
    default:
      return RpcStatus::kUnknown;
  }
}

RpcStatus status_of_reset(std::uint32_t code) {
  switch (code) {
    case kRefusedStream:
      return RpcStatus::kUnavailable;
    case kCancel:
      return RpcStatus::kCancelled;
    case kEnhanceYourCalm:
      return RpcStatus::kResourceExhausted;
    case kInadequateSecurity:
      return RpcStatus::kPermissionDenied;
    default:
      return RpcStatus::kInternal;
  }
}

bool lacks_status(const Exchange& exchange) {
  return is_call(exchange) && exchange.operation.status == 0;
}

}  // namespace

void begin(Exchange& exchange, Http2Stream& stream, const http2::MessageHead& head,
           bool beside_others) {
  stream.may_be_call = head.may_be_grpc();
  if (!head.is_grpc() && !(stream.may_be_call && beside_others)) return;
  exchange.operation.convention = Convention::kRpc;
  if (const auto timeout_ns = head.timeout_ns(); timeout_ns != 0)
    stream.deadline = {exchange.read.ns + timeout_ns - timeout_ns / kTimeoutSlack};
}

void take_answer(Exchange& exchange, Http2Stream& stream, const http2::MessageHead& head,
                 bool ends_stream) {
  const bool answers = head.is_response() && !head.is_interim();
  const bool trails = !head.is_response() && ends_stream;
  if (answers) stream.status = head.status();
  const bool calls_trailers =
      trails && stream.may_be_call && (head.grpc_status() || head.partly_unknown());
  if (((answers && head.is_grpc()) || calls_trailers) && !is_call(exchange)) {
    exchange.operation.convention = Convention::kRpc;
    exchange.operation.status = 0;
  }
  if (answers && !is_call(exchange)) exchange.operation.status = head.status();
  if (head.grpc_status() && is_call(exchange))
    exchange.operation.status = static_cast<std::uint16_t>(*head.grpc_status() + 1);
}

void take_reset(Exchange& exchange, const Http2Stream& stream, std::uint32_t code,
                MonotonicTime time) {
  if (!lacks_status(exchange) || exchange.role != Role::kClient) return;
  const bool too_late = code == kCancel && stream.deadline.known() && time >= stream.deadline;
  exchange.operation.status =
      status_of(too_late ? RpcStatus::kDeadlineExceeded : status_of_reset(code));
}

void take_end_without_trailers(Exchange& exchange, const Http2Stream& stream) {
  if (lacks_status(exchange) && exchange.role == Role::kClient && stream.status == 200)
    exchange.operation.status = status_of(RpcStatus::kInternal);
}

void settle(Exchange& exchange, const Http2Stream& stream) {
  if (lacks_status(exchange) && stream.status != 0 && stream.status != 200)
    exchange.operation.status = status_of(status_of_answer(stream.status));
}

}  // namespace exa::calls
