// How the messages and streams of Http2Conversation end.
#include "agent/conversation/http2/http2_conversation.h"

#include "agent/conversation/http2/calls.h"

namespace exa {

void Http2Conversation::end_data(const Http2Talk& talk, Direction which, const http2::Frame& frame,
                                 MonotonicTime last_byte) {
  if (talk.connection.role == Role::kUnknown) return;
  const auto slot = streams_.find(talk.connection.slot, frame.stream);
  if (slot == kNoSlot) {
    if (frame.ends_stream() && talk.answers(which)) note_orphan(talk, frame.stream);
    return;
  }
  auto& stream = streams_[slot];
  auto& exchange = open_[stream.exchange];
  auto& bytes = talk.asks(which) ? exchange.request_body_bytes : exchange.response_body_bytes;
  // How much of it is padding is not told.
  if (frame.has(EXA_HTTP2_PADDED)) {
    bytes = kUnknownBytes;
  } else if (bytes != kUnknownBytes) {
    bytes += frame.length;
  }
  if (talk.asks(which)) {
    if (frame.ends_stream()) end_request(talk, stream);
    return;
  }
  exchange.last_response = last_byte;
  if (!frame.ends_stream()) return;
  calls::take_end_without_trailers(exchange, stream);
  end_response(talk, slot, last_byte);
}

void Http2Conversation::end_request(const Http2Talk& talk, Http2Stream& stream) {
  if (stream.request_ended) return;
  stream.request_ended = true;
  auto& bytes = open_[stream.exchange].request_body_bytes;
  const bool exact = stream.request_jumps == talk.request().jumps && bytes != kUnknownBytes;
  if (!exact) bytes = stream.request_length;
}

// A client may go once it has as much as it was promised, before the frame that ends the stream.
// How much came is known where no other stream shared the connection, to within the headers of its
// frames: that lies between the head and the end.
bool Http2Conversation::is_all_there(const Http2Talk& talk, const Http2Stream& stream,
                                     std::uint64_t reached) {
  const auto& lone = talk.state.lone_answer;
  if (lone.stream != stream.id || stream.response_length == kUnknownBytes) return false;
  const auto header = stream.response_length == 0 ? 0u : std::uint64_t{EXA_HTTP2_HEADER_BYTES};
  return reached >= lone.head_end && reached - lone.head_end >= header &&
         reached - lone.head_end - header >= stream.response_length;
}

void Http2Conversation::end_response(const Http2Talk& talk, std::uint32_t slot,
                                     MonotonicTime last_byte) {
  const auto& stream = streams_[slot];
  auto& bytes = open_[stream.exchange].response_body_bytes;
  const bool exact = stream.response_jumps == talk.response().jumps && bytes != kUnknownBytes;
  if (!exact) bytes = stream.response_length;
  if (stream.answered) {
    finish(talk, slot, talk.ending(Outcome::kComplete, last_byte));
    return;
  }
  // An answer without a head: nobody can tell what it was.
  counters_.add(Counter::kExchangesUnknownEnd);
  finish(talk, slot, talk.ending(Outcome::kUnknown, last_byte));
}

// Of streams older than what was seen, or opened unseen. The others have been counted.
void Http2Conversation::note_orphan(const Http2Talk& talk, std::uint32_t id) {
  const auto& state = talk.state;
  if (id % 2 == 1 && (id < state.first_stream_seen || id > state.highest_stream))
    messages_.add(ProtocolCounter::kOrphanResponse);
}

void Http2Conversation::finish(const Http2Talk& talk, std::uint32_t slot, const Ending& ending) {
  const auto& stream = streams_[slot];
  auto& exchange = open_[stream.exchange];
  // The rest of its body may never come, or went by unseen.
  if (!stream.request_ended) exchange.request_body_bytes = kUnknownBytes;
  if (ending.outcome != Outcome::kComplete && ending.outcome != Outcome::kUpgraded &&
      stream.response_jumps != talk.response().jumps)
    exchange.response_body_bytes = kUnknownBytes;
  // Not known: its place among its connection's requests tells those apart that were read at once.
  if (talk.connection.tls && exchange.request_sequence == 0)
    exchange.request_sequence = 1 + stream.id / 2 % kMaxPlaceWithoutSequence;
  calls::settle(exchange, stream);
  open_.finish(stream.exchange, *talk.connection.process, ending);
  streams_.erase(talk.state.streams, slot);
}

void Http2Conversation::forget(const Http2Talk& talk, std::uint32_t slot, ProtocolCounter reason) {
  open_.forget(streams_[slot].exchange, *talk.connection.process, reason);
  streams_.erase(talk.state.streams, slot);
}

void Http2Conversation::forget_all(const Http2Talk& talk, ProtocolCounter reason) {
  while (talk.state.streams.first != kNoSlot)
    forget(talk, talk.state.streams.first, reason);
}

}  // namespace exa
