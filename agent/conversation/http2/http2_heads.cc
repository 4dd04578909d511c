// The header blocks of Http2Conversation: read where they lie in the record if they are whole
// there, else gathered; and the heads of requests and answers in them.
#include <algorithm>

#include "agent/connection/request_origin.h"
#include "agent/conversation/http2/calls.h"
#include "agent/conversation/http2/http2_conversation.h"
#include "agent/trace/context/take_context.h"

namespace exa {
namespace {

// In front of a block's fragment, RFC 9113 sections 6.2, 6.6 and 6.10.
std::uint32_t lead_bytes(const http2::Frame& frame) {
  if (frame.type == EXA_HTTP2_CONTINUATION) return 0;
  const std::uint32_t padded = frame.has(EXA_HTTP2_PADDED) ? 1 : 0;
  if (frame.type == EXA_HTTP2_PUSH_PROMISE) return padded + 4;
  return padded + (frame.has(EXA_HTTP2_PRIORITISED) ? 5 : 0);
}

bool is_padded(const http2::Frame& frame) {
  return frame.type != EXA_HTTP2_CONTINUATION && frame.has(EXA_HTTP2_PADDED);
}

// Of the frame's first byte. The record before may have had it, and then its last byte is not much
// later: a header is nine bytes.
MessageStart start_of(const ChunkEvent& chunk, const http2::Frame& frame) {
  const bool earlier = static_cast<std::int64_t>(frame.begin - chunk.position) < 0;
  const bool first = frame.begin == chunk.position;
  auto time = chunk.time;
  if (earlier && chunk.previous_last_byte.known()) time = chunk.previous_last_byte;
  if (first && chunk.first_byte.known()) time = chunk.first_byte;
  const auto offset = static_cast<std::uint32_t>(frame.begin - chunk.position);
  // 0: it has none, and is told one with its endpoints.
  return {.time = time,
          .arrival = first ? chunk.arrival : MonotonicTime{},
          .sequence = chunk.tcp_sequence == 0 ? 0 : chunk.tcp_sequence + offset,
          .tgid = chunk.tgid};
}

}  // namespace

void Http2Conversation::begin_block(Reading& reading) {
  const auto& frame = reading.frames.frame();
  auto& block = reading.direction.block;
  block.kept.small.start = start_of(reading.chunk, frame);
  block.stream = frame.stream;
  block.chunk_offset = static_cast<std::uint32_t>(frame.begin - reading.chunk.position);
  block.padding = 0;
  block.promise = frame.type == EXA_HTTP2_PUSH_PROMISE;
  block.ends_stream = frame.ends_stream();
  block.lost = false;
  reading.whole_block = {};
}

void Http2Conversation::take_fragment(Reading& reading) {
  const auto& frame = reading.frames.frame();
  auto& block = reading.direction.block;
  if (block.stream != frame.stream) {
    // Its beginning was not seen.
    decoder(reading.talk, reading.chunk.direction).lose();
    return;
  }
  if (block.lost) return;
  const auto text = reading.frames.payload();
  const auto offset = reading.frames.payload_offset();
  if (offset == 0 && is_padded(frame)) block.padding = static_cast<std::uint8_t>(text.front());
  const auto lead = lead_bytes(frame);
  if (lead + block.padding > frame.length) {
    reading.use = ChunkUse::kParseError;
    messages_.add(ProtocolCounter::kParseErrorFraming);
    lose_block(reading);
    return;
  }
  const auto from = std::max(offset, lead);
  const auto to =
      std::min(offset + static_cast<std::uint32_t>(text.size()), frame.length - block.padding);
  const auto piece = from < to ? text.substr(from - offset, to - from) : std::string_view{};
  const bool all = frame.type != EXA_HTTP2_CONTINUATION && frame.has(EXA_HTTP2_END_HEADERS) &&
                   text.size() == frame.length;
  if (all) {
    reading.whole_block = piece;
  } else if (!blocks_.add(block.kept, *reading.talk.connection.process, piece)) {
    lose_block(reading);
  }
}

// What comes of it is still followed to its end, which may be that of a message.
void Http2Conversation::lose_block(Reading& reading) {
  auto& block = reading.direction.block;
  blocks_.drop(block.kept, *reading.talk.connection.process);
  block.lost = true;
  decoder(reading.talk, reading.chunk.direction).lose();
}

void Http2Conversation::drop_block(const Http2Talk& talk, Http2Direction& direction) {
  blocks_.drop(direction.block.kept, *talk.connection.process);
  direction.block.stream = 0;
}

void Http2Conversation::end_block(Reading& reading) {
  const auto& frame = reading.frames.frame();
  auto& block = reading.direction.block;
  if (!frame.has(EXA_HTTP2_END_HEADERS) || block.stream != frame.stream) return;
  const HeadEnd end{.stream = block.stream,
                    .ends_stream = block.ends_stream,
                    .start = block.kept.small.start,
                    .chunk_offset = block.chunk_offset,
                    .end = frame.end(),
                    .last_byte = reading.chunk.time};
  const bool promise = block.promise;
  http2::MessageHead head(contexts_);
  if (!block.lost) {
    const auto kept = blocks_.text(block.kept);
    if (!decode(reading, kept.empty() ? reading.whole_block : kept, head))
      head = http2::MessageHead(contexts_);
  }
  drop_block(reading.talk, reading.direction);
  if (!promise) accept_head(reading, end, head);
}

hpack::Decoder& Http2Conversation::decoder(const Http2Talk& talk, Direction which) {
  if (talk.state.tables != kNoSlot)
    return tables_[talk.state.tables].decoders[static_cast<std::size_t>(which)];
  // Each block as if the connection were joined there: what it refers to is unknown.
  without_table_.restart(hpack::Start::kJoined);
  return without_table_;
}

bool Http2Conversation::decode(Reading& reading, std::string_view block, http2::MessageHead& head) {
  const auto result =
      decoder(reading.talk, reading.chunk.direction).decode(block, [&](const hpack::Field& field) {
        head.take(field);
      });
  lend_large_table(reading.talk, reading.chunk.direction);
  if (head.partly_unknown()) counters_.add(Counter::kHeadsPartlyUnknown);
  if (result.status == hpack::BlockStatus::kDecoded) return true;
  reading.use = ChunkUse::kParseError;
  messages_.add(reading.talk.answers(reading.chunk.direction)
                    ? ProtocolCounter::kParseErrorResponse
                    : ProtocolCounter::kParseErrorRequest);
  return false;
}

// Without one, what lies in the older part of the table is unknown.
void Http2Conversation::lend_large_table(const Http2Talk& talk, Direction which) {
  if (talk.state.tables == kNoSlot) return;
  auto& tables = tables_[talk.state.tables];
  auto& large = tables.large[static_cast<std::size_t>(which)];
  auto& its = tables.decoders[static_cast<std::size_t>(which)];
  if (large != kNoSlot || !its.wants_large_table()) return;
  large = large_tables_.acquire();
  if (large != kNoSlot) its.use_large_table(large_tables_[large]);
}

void Http2Conversation::accept_head(Reading& reading, const HeadEnd& end,
                                    const http2::MessageHead& head) {
  auto& connection = reading.talk.connection;
  const auto which = reading.chunk.direction;
  if (connection.role == Role::kUnknown && head.is_request() != head.is_response()) {
    const bool ingress = which == Direction::kIngress;
    connection.role = head.is_request() == ingress ? Role::kServer : Role::kClient;
  }
  if (reading.talk.asks(which)) accept_request(reading.talk, end, head);
  if (reading.talk.answers(which)) accept_response(reading.talk, end, head);
}

void Http2Conversation::accept_request(const Http2Talk& talk, const HeadEnd& end,
                                       const http2::MessageHead& head) {
  auto& state = talk.state;
  if (const auto slot = streams_.find(talk.connection.slot, end.stream); slot != kNoSlot) {
    if (end.ends_stream) end_request(talk, streams_[slot]);  // trailers
    return;
  }
  const bool opens = end.stream % 2 == 1 && end.stream > state.highest_stream;
  if (!opens) return;
  state.highest_stream = end.stream;
  if (state.first_stream_seen == 0) state.first_stream_seen = end.stream;
  if (!head.method_known()) {
    messages_.add(ProtocolCounter::kOrphanGap);
    return;
  }
  const auto place = open_.open_concurrent(*talk.connection.process, state.streams.count);
  if (place == kNoSlot) return;
  const auto slot = streams_.insert(state.streams, talk.connection.slot, end.stream);
  if (slot == kNoSlot) {
    open_.forget(place, *talk.connection.process, ProtocolCounter::kRequestsUnansweredOverflow);
    return;
  }
  state.lone_answer = {};
  auto& stream = streams_[slot];
  stream.exchange = place;
  stream.request_jumps = talk.request().jumps;
  stream.request_length = head.content_length();
  stream.chunk_offset = end.chunk_offset;
  auto& exchange = open_[place];
  take_origin(exchange, talk.connection, end.start);
  exchange.request_body_bytes = 0;
  const auto context = fill_in(exchange, head);
  open_.begin(place, talk.connection.call_at(talk.connection.request_direction(), exchange.read),
              context == ContextState::kUnknown);
  calls::begin(exchange, stream, head, state.speaks_grpc);
  state.speaks_grpc |= calls::is_call(exchange);
  if (!end.ends_stream) return;
  stream.request_length = 0;
  end_request(talk, stream);
}

ContextState Http2Conversation::fill_in(Exchange& exchange, const http2::MessageHead& head) {
  exchange.protocol_version = ProtocolVersion::k2;
  exchange.operation.method = head.method();
  exchange.operation.method_original = head.method_original();
  exchange.operation.name = head.path();
  exchange.host = head.host();
  const auto context = take_context(head.context(), exchange);
  switch (context) {
    case ContextState::kValid:
      counters_.add(Counter::kContextAccepted);
      break;
    case ContextState::kInvalid:
      counters_.add(Counter::kContextInvalid);
      break;
    case ContextState::kUnknown:
      counters_.add(Counter::kContextCut);
      break;
    case ContextState::kAbsent:
      break;
  }
  return context;
}

void Http2Conversation::accept_response(const Http2Talk& talk, const HeadEnd& end,
                                        const http2::MessageHead& head) {
  const auto slot = streams_.find(talk.connection.slot, end.stream);
  if (slot == kNoSlot) {
    if (end.ends_stream) note_orphan(talk, end.stream);
    return;
  }
  auto& stream = streams_[slot];
  auto& exchange = open_[stream.exchange];
  if (!stream.answered && (!head.is_interim() || end.ends_stream)) {
    stream.answered = true;
    stream.response_jumps = talk.response().jumps;
    stream.response_length = head.content_length();
    exchange.response_body_bytes = 0;
    exchange.first_response = end.start.time;
    if (talk.state.streams.count == 1)
      talk.state.lone_answer = {.stream = end.stream, .head_end = end.end};
    const auto status = head.status();
    if (exchange.operation.method == Method::kConnect && status / 100 == 2) {
      calls::take_answer(exchange, stream, head, end.ends_stream);
      end_request(talk, stream);
      finish(talk, slot, talk.ending(Outcome::kUpgraded, end.last_byte));
      return;
    }
    const bool bodiless =
        exchange.operation.method == Method::kHead || status == 204 || status == 304;
    if (bodiless || end.ends_stream) stream.response_length = 0;
  }
  calls::take_answer(exchange, stream, head, end.ends_stream);
  talk.state.speaks_grpc |= calls::is_call(exchange);
  if (stream.answered) exchange.last_response = end.last_byte;
  if (end.ends_stream) end_response(talk, slot, end.last_byte);
}

}  // namespace exa
