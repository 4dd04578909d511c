#include "agent/conversation/http2/http2_streams.h"

#include <utility>

#include "agent/connection/request_origin.h"
#include "agent/trace/context/take_context.h"
#include "exa/model/rpc_status.h"

namespace exa {
namespace {

// RFC 9113 section 7, those that mean something to a call.
constexpr std::uint32_t kRefusedStream = 7;
constexpr std::uint32_t kCancel = 8;
constexpr std::uint32_t kEnhanceYourCalm = 11;
constexpr std::uint32_t kInadequateSecurity = 12;

// A cancellation in the last sixteenth of the time that a call was given is one by its deadline.
constexpr std::uint64_t kTimeoutSlack = 16;

// What every library of gRPC says of a call that has no status, at the client:
// https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md and
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#errors.
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

bool is_call(const Exchange& exchange) {
  return exchange.operation.convention == Convention::kRpc;
}

Ending ending_of(const Connection& connection, Outcome outcome, MonotonicTime last_byte) {
  return {.outcome = outcome,
          .last_byte = last_byte,
          .ports_proven = connection.ports_proven,
          .socket_error = 0};
}

}  // namespace

Http2Streams::Http2Streams(const ConversationParts& parts)
    : open_(parts.open),
      counters_(parts.counters),
      messages_(parts.messages),
      index_(kMost),
      streams_(kMost) {}

std::uint64_t Http2Streams::hash_of(std::uint32_t connection, std::uint32_t id) {
  auto mixed = (std::uint64_t{connection} << 32 | id) * 0x9e3779b97f4a7c15;
  mixed ^= mixed >> 32;
  return mixed * 0xd6e8feb86659fd93;
}

std::uint32_t Http2Streams::find(std::uint32_t connection, std::uint32_t id) const {
  static_assert(kNoSlot == HashIndex::kNone);
  return index_.find(hash_of(connection, id), [&](std::uint32_t stream) {
    return streams_[stream].id == id && streams_[stream].connection == connection;
  });
}

bool Http2Streams::is_open(const Connection& connection, std::uint32_t id) const {
  return find(connection.slot, id) != kNoSlot;
}

Exchange* Http2Streams::exchange_of(const Connection& connection, std::uint32_t id) {
  const auto stream = find(connection.slot, id);
  return stream == kNoSlot ? nullptr : &open_[streams_[stream].exchange];
}

void Http2Streams::begin(Connection& connection, Http2State& state, std::uint32_t id,
                         const MessageStart& start, const http2::Head& head, bool ended) {
  const auto exchange = open_.open_concurrent(*connection.process, state.open_streams);
  if (exchange == kNoSlot) return;
  const auto slot = streams_.acquire();
  if (slot == kNoSlot)
    return open_.forget(exchange, *connection.process,
                        ProtocolCounter::kRequestsUnansweredOverflow);
  auto& stream = streams_[slot];
  stream = {.id = id,
            .connection = connection.slot,
            .exchange = exchange,
            .next = state.first_stream,
            .untold_before_request = state.direction(connection.request_direction()).untold,
            .request_ended = ended,
            .joins_tunnel = head.method == Method::kConnect,
            .deadline = {}};
  if (state.first_stream != kNoSlot) streams_[state.first_stream].previous = slot;
  state.first_stream = slot;
  ++state.open_streams;
  index_.insert(hash_of(connection.slot, id), slot);
  auto& opened = open_[exchange];
  take_origin(opened, connection, start);
  opened.request_body_bytes = 0;
  fill_in(opened, head);
  // The caller's clock runs since before it said so, and it rounds what is left.
  if (is_call(opened) && head.timeout_ns != 0)
    stream.deadline = {opened.read.ns + head.timeout_ns - head.timeout_ns / kTimeoutSlack};
}

void Http2Streams::fill_in(Exchange& exchange, const http2::Head& head) {
  exchange.protocol_version = ProtocolVersion::k2;
  auto& operation = exchange.operation;
  if (head.is_grpc) operation.convention = Convention::kRpc;
  operation.method = head.method;
  operation.method_original = head.method_text;
  operation.name = head.path;
  exchange.host = head.host;
  const auto context = take_context(head.context, exchange);
  if (context == ContextState::kValid) counters_.add(Counter::kContextAccepted);
  if (context == ContextState::kInvalid) counters_.add(Counter::kContextInvalid);
}

void Http2Streams::on_answer(Connection& connection, Http2State& state, std::uint32_t id,
                             const MessageStart& start, const http2::Head& head,
                             MonotonicTime last_byte, bool ended) {
  const auto slot = find(connection.slot, id);
  if (slot == kNoSlot) return;
  auto& stream = streams_[slot];
  auto& exchange = open_[stream.exchange];
  const bool interim = head.status >= 100 && head.status < 200;
  if (!stream.answered && !interim) {
    stream.answered = true;
    stream.status = head.status;
    exchange.first_response = start.time;
    exchange.response_body_bytes = 0;
    stream.untold_before_answer = state.direction(connection.response_direction()).untold;
    if (head.is_grpc) exchange.operation.convention = Convention::kRpc;
    if (!is_call(exchange)) exchange.operation.status = head.status;
  }
  exchange.last_response = last_byte;
  if (head.has_grpc_status && is_call(exchange))
    exchange.operation.status = static_cast<std::uint16_t>(head.grpc_status + 1);
  if (stream.joins_tunnel && head.status >= 200 && head.status < 300)
    return finish(connection, state, slot, ending_of(connection, Outcome::kUpgraded, last_byte));
  if (ended) end_answer(connection, state, id, last_byte);
}

void Http2Streams::add_body(const Connection& connection, std::uint32_t id, bool of_request,
                            std::uint64_t bytes, MonotonicTime last_byte) {
  auto* exchange = exchange_of(connection, id);
  if (exchange == nullptr) return;
  auto& sum = of_request ? exchange->request_body_bytes : exchange->response_body_bytes;
  if (bytes == kUnknownBytes)
    sum = kUnknownBytes;
  else if (sum != kUnknownBytes)
    sum += bytes;
  if (!of_request) exchange->last_response = last_byte;
}

void Http2Streams::end_request(const Connection& connection, Http2State& state, std::uint32_t id) {
  const auto slot = find(connection.slot, id);
  if (slot == kNoSlot) return;
  auto& stream = streams_[slot];
  stream.request_ended = true;
  if (stream.untold_before_request != state.direction(connection.request_direction()).untold)
    open_[stream.exchange].request_body_bytes = kUnknownBytes;
}

void Http2Streams::end_answer(Connection& connection, Http2State& state, std::uint32_t id,
                              MonotonicTime last_byte) {
  const auto slot = find(connection.slot, id);
  if (slot == kNoSlot) return;
  const auto& stream = streams_[slot];
  auto& exchange = open_[stream.exchange];
  // Answered before its body was read: what comes of that is not counted with it.
  if (!stream.request_ended) exchange.request_body_bytes = kUnknownBytes;
  if (stream.untold_before_answer != state.direction(connection.response_direction()).untold)
    exchange.response_body_bytes = kUnknownBytes;
  finish(connection, state, slot, ending_of(connection, Outcome::kComplete, last_byte));
}

void Http2Streams::reset(Connection& connection, Http2State& state, std::uint32_t id,
                         std::uint32_t code, bool by_us, MonotonicTime time) {
  const auto slot = find(connection.slot, id);
  if (slot == kNoSlot) return;
  const auto& stream = streams_[slot];
  auto& exchange = open_[stream.exchange];
  if (is_call(exchange) && exchange.role == Role::kClient && exchange.operation.status == 0) {
    const bool too_late =
        by_us && code == kCancel && stream.deadline.known() && time >= stream.deadline;
    exchange.operation.status =
        status_of(too_late ? RpcStatus::kDeadlineExceeded : status_of_reset(code));
  }
  finish(connection, state, slot,
         ending_of(connection, by_us ? Outcome::kAbortedByUs : Outcome::kAbortedByPeer, time));
}

void Http2Streams::refuse_above(Connection& connection, Http2State& state, std::uint32_t last,
                                bool by_us, MonotonicTime time) {
  for (auto slot = state.first_stream; slot != kNoSlot;) {
    const auto id = streams_[slot].id;
    slot = streams_[slot].next;
    if (id > last) reset(connection, state, id, kRefusedStream, by_us, time);
  }
}

void Http2Streams::abort_all(Connection& connection, Http2State& state, const Ending& ending) {
  while (state.first_stream != kNoSlot) {
    auto its = ending;
    const auto& exchange = open_[streams_[state.first_stream].exchange];
    if (exchange.last_response.known()) its.last_byte = exchange.last_response;
    finish(connection, state, state.first_stream, its);
  }
}

void Http2Streams::forget_all(Connection& connection, Http2State& state, ProtocolCounter reason) {
  while (state.first_stream != kNoSlot) {
    const auto slot = state.first_stream;
    open_.forget(streams_[slot].exchange, *connection.process, reason);
    remove(state, slot);
  }
}

void Http2Streams::learn_endpoints(const Connection& connection, const Http2State& state,
                                   std::uint32_t first_sequence) {
  for (auto slot = state.first_stream; slot != kNoSlot; slot = streams_[slot].next) {
    auto& exchange = open_[streams_[slot].exchange];
    exchange.local = connection.local;
    exchange.remote = connection.remote;
    const bool oldest = streams_[slot].next == kNoSlot;
    if (oldest && exchange.request_sequence == 0) exchange.request_sequence = first_sequence;
  }
}

void Http2Streams::finish(Connection& connection, Http2State& state, std::uint32_t slot,
                          const Ending& ending) {
  const auto& stream = streams_[slot];
  settle_status(connection, stream, open_[stream.exchange]);
  open_.finish(stream.exchange, *connection.process, ending);
  remove(state, slot);
}

// A call whose answer was not one of a call.
void Http2Streams::settle_status(const Connection& connection, const Http2Stream& stream,
                                 Exchange& exchange) {
  if (!is_call(exchange) || exchange.operation.status != 0) return;
  if (connection.role != Role::kClient || stream.status == 0 || stream.status == 200) return;
  exchange.operation.status = status_of(status_of_answer(stream.status));
}

void Http2Streams::remove(Http2State& state, std::uint32_t slot) {
  const auto stream = streams_[slot];
  if (stream.next != kNoSlot) streams_[stream.next].previous = stream.previous;
  if (stream.previous != kNoSlot)
    streams_[stream.previous].next = stream.next;
  else
    state.first_stream = stream.next;
  --state.open_streams;
  index_.erase(hash_of(stream.connection, stream.id), slot);
  streams_.release(slot);
}

}  // namespace exa
