// The heads of Http1Conversation: parsed where they lie in the ring if they are whole there, else
// gathered in a block.
#include "agent/connection/request_origin.h"
#include "agent/conversation/http1/http1_conversation.h"
#include "agent/protocol/blank_lines.h"
#include "agent/protocol/http1/detect.h"
#include "agent/protocol/http1/line_reader.h"
#include "agent/trace/context/take_context.h"

namespace exa {
namespace {

// A head that trickles in is read again at each of so many bytes at its front.
constexpr std::size_t kEarlyLookBytes = 64;

// Whether the newest bytes of a head can make it whole or invalid. Beyond its first line's start
// only a line's end can, or a control character: most of a head that trickles in is not read again.
bool may_decide(std::string_view text, std::size_t kept_bytes) {
  return kept_bytes <= kEarlyLookBytes || text[kept_bytes - 1] == '\r' ||
         http1::find_line_control(text, kept_bytes) < text.size();
}

// A request right behind another one. One that only has a lost answer before it comes at a turn.
void note_pipelining(const Http1Talk& talk, const ChunkEvent& chunk, std::string_view bytes) {
  const auto waiting = talk.state.unanswered.held();
  if (waiting > (talk.response().open_ended() ? 2U : 1U) &&
      (bytes.size() < chunk.bytes.size() || !turned(chunk)))
    talk.state.pipelined = true;
}

// Of a head that was cut: a context may have been in what is gone of it.
bool may_lack_context(const http1::RequestHead& head) {
  const auto state = head.context.state();
  return state == ContextState::kAbsent || state == ContextState::kUnknown;
}

// Of a body whose head has just ended.
std::uint64_t initial_bytes(const http1::Framing& body) {
  http1::BodyReader reader;
  reader.start(body);
  return reader.measurable() ? 0 : kUnknownBytes;
}

}  // namespace

Http1Conversation::HeadText Http1Conversation::gather(Http1Stream& stream, std::string_view bytes) {
  const std::size_t kept = stream.head.bytes;
  if (kept == 0) return {bytes, 0, bytes.size()};
  const auto taken = blocks_.add(stream.head, bytes);
  return {blocks_.text(stream.head), kept, taken};
}

bool Http1Conversation::keep(const Http1Talk& talk, Http1Stream& stream, std::string_view bytes) {
  if (!stream.head.empty()) return true;  // gathered already
  return blocks_.keep(stream.head, *talk.connection.process, bytes.substr(leading_blank(bytes)));
}

void Http1Conversation::drop_head(const Http1Talk& talk, Http1Stream& stream) {
  blocks_.drop(stream.head, *talk.connection.process);
}

Http1Conversation::Step Http1Conversation::read_request_head(const Http1Talk& talk,
                                                             const ChunkEvent& chunk,
                                                             std::string_view bytes, bool cut) {
  auto& stream = talk.request();
  const auto head_text = gather(stream, bytes);
  const bool whole_or_never = (cut && head_text.taken_bytes == bytes.size()) ||
                              head_text.text.size() >= http1::kMaxHeadBytes;
  http1::RequestHead head;
  ParseResult result;
  if (whole_or_never || may_decide(head_text.text, head_text.kept_bytes))
    result = http1::parse_request_head(head_text.text, contexts_, head);

  if (head_text.kept_bytes == 0) stream.head.start = start_of(chunk, bytes, leading_blank(bytes));
  // Behind something unknown only a valid head proves that the connection speaks HTTP.
  const bool first = chunk.position == 0 ||
                     talk.connection.direction(chunk.direction).position == head_text.kept_bytes;
  if (result.reason != InvalidReason::kNone && !talk.state.confirmed && !first)
    return reject_request(talk, result.reason);
  if (result.status == ParseStatus::kMessage) {
    accept_request(talk, head);
    note_pipelining(talk, chunk, bytes);
    drop_head(talk, stream);
    return {.used_bytes = result.consumed_bytes - head_text.kept_bytes,
            .use = use_of_head(result.reason, ProtocolCounter::kParseErrorRequest)};
  }
  if (result.status == ParseStatus::kInvalid) return reject_request(talk, result.reason);
  if (is_blank(head_text.text)) {
    drop_head(talk, stream);
    return {.used_bytes = head_text.taken_bytes};
  }
  if (whole_or_never) {
    if (accept_cut_request(talk, head_text.text, head))
      return {.used_bytes = head_text.taken_bytes};
    if (!talk.state.confirmed) return reject_request(talk, InvalidReason::kStartLine);
    messages_.add(ProtocolCounter::kOrphanGap);
  } else if (keep(talk, stream, bytes)) {
    return {.used_bytes = bytes.size()};
  }
  lose_requests(talk);
  return {.use = ChunkUse::kOrphan, .lost = true};
}

Http1Conversation::Step Http1Conversation::reject_request(const Http1Talk& talk,
                                                          InvalidReason reason) {
  lose_requests(talk);
  if (!talk.state.confirmed) {
    // It only looked like a method: the connection speaks something else.
    abandon(talk.connection);
    talk.connection.role = Role::kUnknown;
    talk.connection.protocol = ProtocolId::kUnknown;
    return {.use = ChunkUse::kNotProtocol, .lost = true};
  }
  return {.use = use_of_head(reason, ProtocolCounter::kParseErrorRequest), .lost = true};
}

ChunkUse Http1Conversation::use_of_head(InvalidReason breach, ProtocolCounter counter) {
  if (breach == InvalidReason::kNone) return ChunkUse::kBelonging;
  messages_.add(is_framing(breach) ? ProtocolCounter::kParseErrorFraming : counter);
  return ChunkUse::kParseError;
}

void Http1Conversation::accept_request(const Http1Talk& talk, const http1::RequestHead& head) {
  auto& stream = talk.request();
  auto& response = talk.response();
  talk.state.confirmed = true;
  talk.state.pipelined |= head.hides_request;
  if (response.open_ended() && !talk.state.has_supposed_end) {
    talk.state.has_supposed_end = true;
    talk.state.supposed_end = talk.response_so_far().position;
  }
  auto& queue = talk.state.unanswered;
  if (auto* exchange = queue.push(open_)) {
    take_origin(*exchange, talk.connection, stream.head.start);
    exchange->request_body_bytes = initial_bytes(head.body);
    fill_in(*exchange, head);
    queue.begin_newest(open_,
                       talk.connection.call_at(talk.connection.request_direction(), exchange->read),
                       head.cut && may_lack_context(head));
  } else {
    const bool first = queue.passed_over() == 1;
    talk.state.passed_over_bodiless = (!first && talk.state.passed_over_bodiless) ||
                                      head.method == Method::kHead ||
                                      head.method == Method::kConnect;
  }
  stream.expect_continue = head.expect_continue;
  stream.body.start(head.body);
  stream.state = head.body.kind == http1::BodyKind::kNone ? StreamState::kHead : StreamState::kBody;
  if (head.method == Method::kConnect) stream.state = StreamState::kAwaitTunnel;
}

void Http1Conversation::fill_in(Exchange& exchange, const http1::RequestHead& head) {
  exchange.protocol_version = head.version;
  exchange.operation.method = head.method;
  if (head.method == Method::kOther) exchange.operation.method_original.assign(head.method_text);
  exchange.operation.name.assign(head.path);
  exchange.host.assign(head.host);
  switch (take_context(head.context, exchange)) {
    case ContextState::kValid:
      counters_.add(Counter::kContextAccepted);
      break;
    case ContextState::kInvalid:
      counters_.add(Counter::kContextInvalid);
      break;
    case ContextState::kUnknown:
    case ContextState::kAbsent:
      break;
  }
}

Method Http1Conversation::awaited_method(const Http1Talk& talk) const {
  const auto* exchange = talk.state.unanswered.oldest(open_);
  return exchange == nullptr ? Method::kOther : exchange->operation.method;
}

bool Http1Conversation::accept_cut_request(const Http1Talk& talk, std::string_view text,
                                           http1::RequestHead& head) {
  const auto result = http1::parse_request_head(text, contexts_, head);
  if (result.status != ParseStatus::kNeedMore || !http1::cut_request_head(text, head)) return false;
  head.cut = true;
  counters_.add(Counter::kHeadTooLong);
  if (may_lack_context(head)) counters_.add(Counter::kContextCut);
  accept_request(talk, head);
  drop_head(talk, talk.request());
  return true;
}

// A server need not read a head to its end to refuse it. What of it is still to come is no request.
bool Http1Conversation::accept_unfinished_request(const Http1Talk& talk, const ChunkEvent& answer,
                                                  std::string_view bytes) {
  const auto kept = blocks_.text(talk.request().head);
  const auto& asked = talk.connection.direction(talk.connection.request_direction());
  const bool all_seen = answer.other.position == asked.position;
  if (kept.empty() || !all_seen || !http1::detect(bytes).starts(Side::kResponse)) return false;
  http1::RequestHead head;
  const auto result = http1::parse_request_head(kept, contexts_, head);
  if (result.status != ParseStatus::kNeedMore || !http1::cut_request_head(kept, head)) return false;
  messages_.add(ProtocolCounter::kParseErrorRequest);
  head.body = {http1::BodyKind::kDisputed, 0};
  head.cut = true;
  accept_request(talk, head);
  drop_head(talk, talk.request());
  return true;
}

Http1Conversation::Step Http1Conversation::read_response_head(const Http1Talk& talk,
                                                              const ChunkEvent& chunk,
                                                              std::string_view bytes, bool cut) {
  auto& stream = talk.response();
  auto& queue = talk.state.unanswered;
  if (queue.empty() && accept_unfinished_request(talk, chunk, bytes))
    return {.use = ChunkUse::kParseError};
  if (queue.empty() || (queue.held() == 0 && talk.state.passed_over_bodiless)) {
    if (is_blank(bytes)) return {.used_bytes = bytes.size()};
    if (queue.empty() && http1::detect(bytes).starts(Side::kResponse))
      messages_.add(ProtocolCounter::kOrphanResponse);
    lose_all(talk, ProtocolCounter::kOrphanRequest);
    return {.use = ChunkUse::kOrphan, .lost = true};
  }

  const auto head_text = gather(stream, bytes);
  const bool whole_or_never = (cut && head_text.taken_bytes == bytes.size()) ||
                              head_text.text.size() >= http1::kMaxHeadBytes;
  if (head_text.kept_bytes == 0) stream.head.start = start_of(chunk, bytes, leading_blank(bytes));
  http1::ResponseHead head;
  ParseResult result;
  if (whole_or_never || may_decide(head_text.text, head_text.kept_bytes))
    result = http1::parse_response_head(head_text.text, awaited_method(talk), head);

  if (result.status == ParseStatus::kMessage || result.status == ParseStatus::kUpgraded) {
    drop_head(talk, stream);  // nothing of a response head is a view
    accept_response(talk, head, result.status, chunk.time);
    return {.used_bytes = result.consumed_bytes - head_text.kept_bytes,
            .use = use_of_head(result.reason, ProtocolCounter::kParseErrorResponse),
            .lost = talk.connection.opaque};
  }
  if (result.status == ParseStatus::kInvalid) {
    lose_all(talk, ProtocolCounter::kOrphanRequest);
    return {.use = use_of_head(result.reason, ProtocolCounter::kParseErrorResponse), .lost = true};
  }
  if (is_blank(head_text.text)) {
    drop_head(talk, stream);
    return {.used_bytes = head_text.taken_bytes};
  }
  if (whole_or_never) {
    if (accept_cut_response(talk, head_text.text, head, chunk.time))
      return {.used_bytes = head_text.taken_bytes, .lost = stream.state == StreamState::kLost};
  } else if (keep(talk, stream, bytes)) {
    return {.used_bytes = bytes.size()};
  }
  lose_all(talk, ProtocolCounter::kOrphanGap);
  return {.use = ChunkUse::kOrphan, .lost = true};
}

void Http1Conversation::accept_response(const Http1Talk& talk, const http1::ResponseHead& head,
                                        ParseStatus status, MonotonicTime last_byte) {
  if (head.is_interim()) return;
  auto& stream = talk.response();
  auto& queue = talk.state.unanswered;
  const bool answers_connect = awaited_method(talk) == Method::kConnect;
  if (auto* exchange = queue.oldest(open_)) {
    exchange->operation.status = head.status;
    exchange->first_response = stream.head.start.time;
    exchange->last_response = last_byte;
    exchange->response_body_bytes = initial_bytes(head.body);
  }
  if (head.goes_on_in_http2 && queue.held() == 1 && queue.passed_over() == 0)
    return await_frames(talk);
  if (status == ParseStatus::kUpgraded) {
    queue.finish_oldest(open_, talk.ending(Outcome::kUpgraded, last_byte));
    lose_all(talk, ProtocolCounter::kOrphanRequest);
    talk.connection.opaque = true;
    talk.connection.tunnel = answers_connect;
    return;
  }
  // No tunnel came to be: requests go on at the next change of direction.
  if (answers_connect) talk.request().state = StreamState::kLost;
  stream.body.start(head.body);
  if (head.body.kind == http1::BodyKind::kNone) {
    finish_response(talk, last_byte);
    return;
  }
  stream.state = StreamState::kBody;
  if (stream.open_ended()) lose_response_end(talk);
}

void Http1Conversation::await_frames(const Http1Talk& talk) {
  if (talk.request().state == StreamState::kBody)
    talk.state.unanswered.oldest(open_)->request_body_bytes = kUnknownBytes;
  talk.request().state = StreamState::kAwaitFrames;
  talk.response().state = StreamState::kAwaitFrames;
}

bool Http1Conversation::accept_cut_response(const Http1Talk& talk, std::string_view text,
                                            http1::ResponseHead& head, MonotonicTime last_byte) {
  const auto method = awaited_method(talk);
  const auto result = http1::parse_response_head(text, method, head);
  if (result.status != ParseStatus::kNeedMore || !http1::cut_response_head(text, head))
    return false;
  if (head.status < 200) return false;  // where the answer itself starts is not known then
  counters_.add(Counter::kHeadTooLong);
  drop_head(talk, talk.response());
  accept_response(talk, head, ParseStatus::kMessage, last_byte);
  return true;
}

}  // namespace exa
