#include "agent/conversation/http1/http1_conversation.h"

#include <algorithm>

#include "agent/protocol/http1/detect.h"

namespace exa {
namespace {

using Verdict = Detection::Verdict;

constexpr std::string_view kLastChunk = "\r\n0\r\n\r\n";

}  // namespace

Http1Conversation::Http1Conversation(ProtocolId id, const ConversationParts& parts)
    : id_(id),
      open_(parts.open),
      blocks_(parts.blocks),
      counters_(parts.counters),
      messages_(parts.messages),
      contexts_(parts.propagators),
      states_(whole_slabs(parts.max_connections)) {}

bool Http1Conversation::open(Connection& connection, Opening opening) {
  connection.protocol = id_;
  connection.slot = states_.acquire();
  states_[connection.slot] = {};
  const auto talk = talk_on(connection);
  talk.state.unanswered = RequestFifo(*connection.process);
  if (opening.side == Side::kRequest) {
    begin(talk);
    talk.request().head = opening.kept;
    return true;
  }
  // A response whose request was before our time.
  blocks_.drop(opening.kept, *connection.process);
  talk.state.confirmed = true;
  messages_.add(ProtocolCounter::kOrphanResponse);
  return false;
}

Http1Talk Http1Conversation::talk_on(Connection& connection) {
  return {connection, states_[connection.slot]};
}

ChunkUse Http1Conversation::on_bytes(Connection& connection, const ChunkEvent& chunk,
                                     std::string_view bytes, std::uint64_t gap_bytes) {
  const auto talk = talk_on(connection);
  auto& stream = talk.stream(chunk.direction);
  auto use = ChunkUse::kBelonging;
  if (stream.state == StreamState::kLost && !try_begin(talk, chunk, bytes, use)) return use;
  if (stream.state == StreamState::kBody) {
    if (connection.request_direction() == chunk.direction) {
      settle_request_end(talk, chunk, bytes);
    } else {
      settle_response_end(talk, bytes);
    }
    if (stream.state == StreamState::kLost) return ChunkUse::kOrphan;
  }

  while (!bytes.empty()) {
    const auto step = read(talk, chunk, bytes, gap_bytes > 0);
    bytes.remove_prefix(step.used_bytes);
    if (step.use != ChunkUse::kBelonging) use = step.use;
    if (step.lost) return use;
  }
  if (gap_bytes > 0) pass_gap(talk, chunk.direction, gap_bytes, chunk.time, true);
  settle_chunked_end(talk, chunk);
  return use;
}

bool Http1Conversation::try_begin(const Http1Talk& talk, const ChunkEvent& chunk,
                                  std::string_view bytes, ChunkUse& use) {
  use = ChunkUse::kOrphan;
  const auto detection = http1::detect(bytes);
  if (bytes.empty() || detection.verdict == Verdict::kNo) return false;
  if (chunk.direction != talk.connection.request_direction()) {
    if (detection.starts(Side::kResponse)) messages_.add(ProtocolCounter::kOrphanResponse);
    return false;
  }
  if (!turned(chunk)) return false;
  // Answers to pipelined requests that were lost may still come: whose is not known any more.
  if (talk.state.pipelined) return false;
  if (!talk.state.unanswered.empty() || detection.starts(Side::kResponse)) return false;
  begin(talk);
  use = ChunkUse::kBelonging;
  return true;
}

void Http1Conversation::begin(const Http1Talk& talk) {
  talk.state.has_supposed_end = false;
  talk.request().state = StreamState::kHead;
  drop_head(talk, talk.response());
  talk.response().state = StreamState::kHead;
}

// A response without a known end: a request came, and then the next response begins at the very
// byte where this one stood. Anything else there, and it went on.
void Http1Conversation::settle_response_end(const Http1Talk& talk, std::string_view bytes) {
  auto& stream = talk.response();
  if (!stream.open_ended() || !talk.state.has_supposed_end) return;
  const auto& so_far = talk.response_so_far();
  const bool proven =
      so_far.position == talk.state.supposed_end && http1::detect(bytes).starts(Side::kResponse);
  talk.state.has_supposed_end = false;
  if (proven) {
    finish_response(talk, so_far.last_byte);
  } else {
    lose_response_end(talk);
  }
}

// A request body whose end cannot be counted ends with the answer, whatever it looks like; a body
// that waits for a 100 may never be sent. Of the next request the first read may take one byte
// only: so Go's servers notice that a client has left.
void Http1Conversation::settle_request_end(const Http1Talk& talk, const ChunkEvent& chunk,
                                           std::string_view bytes) {
  auto& stream = talk.request();
  const bool unsent = stream.expect_continue && stream.body.untouched();
  if (!stream.open_ended() && !unsent) return;
  // Nobody can tell how many answers are to come.
  if (stream.body.kind() == http1::BodyKind::kDisputed && talk.state.pipelined) return;
  const auto detection = http1::detect(bytes);
  if (bytes.empty() || detection.verdict == Verdict::kNo || detection.starts(Side::kResponse))
    return;
  const auto& queue = talk.state.unanswered;
  // A client that reads the rest of an answer by splice makes its next request before that is told.
  const bool answer_runs =
      talk.response().open_ended() ||
      (talk.connection.role == Role::kClient && talk.response().state == StreamState::kBody);
  const bool answered = queue.empty() || (answer_runs && queue.waiting() == 1);
  if (answered && turned(chunk)) stream.state = StreamState::kHead;
}

// A body whose framing was not seen may prove its end with its last bytes.
void Http1Conversation::settle_chunked_end(const Http1Talk& talk, const ChunkEvent& chunk) {
  auto& stream = talk.stream(chunk.direction);
  if (!stream.end_unseen()) return;
  const std::string_view bytes{reinterpret_cast<const char*>(chunk.bytes.data()),
                               chunk.bytes.size()};
  const bool whole = bytes.size() == chunk.length_bytes;
  if (!chunk.ends_chunks && !(whole && bytes.ends_with(kLastChunk))) return;
  if (talk.connection.request_direction() == chunk.direction) {
    stream.state = StreamState::kHead;
    return;
  }
  // Where more than one waits, this may be the end of any of their answers.
  const auto& queue = talk.state.unanswered;
  if (queue.waiting() == 1) finish_response(talk, chunk.time);
}

Http1Conversation::Step Http1Conversation::read(const Http1Talk& talk, const ChunkEvent& chunk,
                                                std::string_view bytes, bool cut) {
  switch (talk.stream(chunk.direction).state) {
    case StreamState::kHead:
      return talk.connection.request_direction() == chunk.direction
                 ? read_request_head(talk, chunk, bytes, cut)
                 : read_response_head(talk, chunk, bytes, cut);
    case StreamState::kBody:
      return read_body(talk, chunk, bytes);
    case StreamState::kAwaitTunnel:
    case StreamState::kAwaitFrames:
      return {.used_bytes = bytes.size()};
    case StreamState::kLost:
      break;
  }
  return {.use = ChunkUse::kOrphan, .lost = true};
}

Http1Conversation::Step Http1Conversation::read_body(const Http1Talk& talk, const ChunkEvent& chunk,
                                                     std::string_view bytes) {
  auto& stream = talk.stream(chunk.direction);
  const bool is_request = talk.connection.request_direction() == chunk.direction;
  const auto result = stream.body.consume(bytes);
  if (result.status == ParseStatus::kInvalid) {
    messages_.add(ProtocolCounter::kParseErrorFraming);
    if (is_request) {
      if (auto* exchange = talk.state.unanswered.newest(open_))
        exchange->request_body_bytes = kUnknownBytes;
      lose_requests(talk);
    } else {
      lose_all(talk, ProtocolCounter::kOrphanRequest);
    }
    return {.use = ChunkUse::kParseError, .lost = true};
  }
  const bool ended = result.status == ParseStatus::kMessage;
  if (is_request) {
    add_request_bytes(talk, result.content_bytes);
    talk.state.pipelined |= stream.body.may_hide_request();
    if (ended) stream.state = StreamState::kHead;
  } else {
    add_response_bytes(talk, result.content_bytes, chunk.time);
    if (ended) finish_response(talk, chunk.time);
  }
  return {.used_bytes = result.consumed_bytes};
}

void Http1Conversation::finish_response(const Http1Talk& talk, MonotonicTime last_byte) {
  // Answered before its body was read: what comes of that is not counted with it.
  const auto& queue = talk.state.unanswered;
  if (talk.request().state == StreamState::kBody && queue.waiting() == 1)
    if (auto* exchange = queue.oldest(open_)) exchange->request_body_bytes = kUnknownBytes;
  talk.state.unanswered.finish_oldest(open_, talk.ending(Outcome::kComplete, last_byte));
  talk.response().state = StreamState::kHead;
  talk.state.has_supposed_end = false;
}

bool Http1Conversation::gap_fits(const Connection& connection, Direction direction,
                                 std::uint64_t gap_bytes) const {
  const auto& stream = states_[connection.slot].streams[static_cast<std::size_t>(direction)];
  if (stream.state == StreamState::kHead) return false;
  if (stream.state != StreamState::kBody) return true;
  auto body = stream.body;
  return body.skip(gap_bytes).status != http1::SkipStatus::kPastEnd;
}

void Http1Conversation::on_gap(Connection& connection, Direction direction, std::uint64_t gap_bytes,
                               MonotonicTime last_byte) {
  pass_gap(talk_on(connection), direction, gap_bytes, last_byte, false);
}

void Http1Conversation::pass_gap(const Http1Talk& talk, Direction direction,
                                 std::uint64_t gap_bytes, MonotonicTime last_byte, bool exact) {
  auto& stream = talk.stream(direction);
  if (stream.state == StreamState::kHead) gap_in_head(talk, direction, last_byte);
  if (stream.state == StreamState::kBody) gap_in_body(talk, direction, gap_bytes, last_byte, exact);
}

// Either the rest of a head that was begun, which leaves a body of unknown length, or a whole
// message or more.
void Http1Conversation::gap_in_head(const Http1Talk& talk, Direction direction,
                                    MonotonicTime last_byte) {
  auto& stream = talk.stream(direction);
  const auto kept = blocks_.text(stream.head);
  if (direction == talk.connection.request_direction()) {
    http1::RequestHead head;
    if (!kept.empty() && accept_cut_request(talk, kept, head)) return;
    messages_.add(ProtocolCounter::kOrphanGap);
    lose_requests(talk);
  } else {
    http1::ResponseHead head;
    if (!kept.empty() && accept_cut_response(talk, kept, head, last_byte)) return;
    lose_all(talk, ProtocolCounter::kOrphanGap);
  }
}

void Http1Conversation::gap_in_body(const Http1Talk& talk, Direction direction,
                                    std::uint64_t gap_bytes, MonotonicTime last_byte, bool exact) {
  using http1::SkipStatus;
  auto& stream = talk.stream(direction);
  if (direction == talk.connection.request_direction()) {
    const auto result = stream.body.skip(gap_bytes);
    add_request_bytes(talk, result.content_bytes);
    talk.state.pipelined |= stream.body.may_hide_request();
    if (result.status == SkipStatus::kEnd) stream.state = StreamState::kHead;
    if (result.status == SkipStatus::kPastEnd) {
      messages_.add(ProtocolCounter::kOrphanGap);
      lose_requests(talk);
    }
    return;
  }

  if (talk.state.has_supposed_end) {
    talk.state.has_supposed_end = false;
    lose_response_end(talk);
    if (stream.state == StreamState::kLost) return;
  }
  const auto result = stream.body.skip(gap_bytes);
  add_response_bytes(talk, result.content_bytes, last_byte);
  switch (result.status) {
    case SkipStatus::kInside:
      break;
    case SkipStatus::kEnd:
      finish_response(talk, last_byte);
      break;
    case SkipStatus::kFramingLost:
      lose_response_end(talk);
      break;
    case SkipStatus::kPastEnd:
      if (exact) finish_response(talk, last_byte);
      lose_all(talk, ProtocolCounter::kOrphanGap);
      break;
  }
}

void Http1Conversation::add_request_bytes(const Http1Talk& talk, std::uint64_t bytes) {
  auto* exchange = talk.state.unanswered.newest(open_);
  if (exchange != nullptr && exchange->request_body_bytes != kUnknownBytes)
    exchange->request_body_bytes += bytes;
}

void Http1Conversation::add_response_bytes(const Http1Talk& talk, std::uint64_t bytes,
                                           MonotonicTime last_byte) {
  auto* exchange = talk.state.unanswered.oldest(open_);
  if (exchange == nullptr) return;
  if (exchange->response_body_bytes != kUnknownBytes) exchange->response_body_bytes += bytes;
  exchange->last_response = last_byte;
}

void Http1Conversation::lose_requests(const Http1Talk& talk) {
  drop_head(talk, talk.request());
  talk.request().state = StreamState::kLost;
}

void Http1Conversation::lose_response_end(const Http1Talk& talk) {
  const auto& queue = talk.state.unanswered;
  const bool until_close = talk.response().body.kind() == http1::BodyKind::kUntilClose;
  if (!until_close && queue.waiting() > 1) lose_all(talk, ProtocolCounter::kOrphanGap);
}

void Http1Conversation::lose_all(const Http1Talk& talk, ProtocolCounter reason) {
  talk.state.unanswered.forget_all(open_, reason);
  talk.state.has_supposed_end = false;
  for (auto& stream : talk.state.streams) {
    drop_head(talk, stream);
    stream.state = StreamState::kLost;
  }
}

void Http1Conversation::abandon(Connection& connection) {
  lose_all(talk_on(connection), ProtocolCounter::kOrphanRequest);
  states_.release(connection.slot);
  connection.slot = kNoSlot;
}

std::uint32_t Http1Conversation::give_request(Connection& connection) {
  const auto talk = talk_on(connection);
  if (talk.response().state != StreamState::kAwaitFrames) return kNoSlot;
  return talk.state.unanswered.give_oldest(open_);
}

void Http1Conversation::on_endpoints(Connection& connection, std::uint32_t first_sequence) {
  auto& queue = states_[connection.slot].unanswered;
  if (!queue.empty())
    queue.learn_endpoints(open_, connection.local, connection.remote, connection.number,
                          first_sequence);
}

// Once the response direction has ended, every request that is unanswered is settled.
void Http1Conversation::on_end(Connection& connection, const EndEvent& end) {
  const auto talk = talk_on(connection);
  auto& queue = talk.state.unanswered;
  if (!connection.ended(connection.response_direction()) && !end.final) return;
  if (connection.opaque || queue.held() == 0) return;
  auto& stream = talk.response();
  if (stream.state == StreamState::kAwaitFrames) {
    // They never came, or were not seen.
    const auto* exchange = queue.oldest(open_);
    queue.finish_oldest(open_, talk.ending(Outcome::kUpgraded, exchange->last_response));
    return;
  }
  const bool client = connection.role == Role::kClient;
  const bool peer_closed =
      end.socket_error != 0 || (client ? connection.ingress_ended : connection.ingress_ended_first);
  const auto aborted = peer_closed ? Outcome::kAbortedByPeer : Outcome::kAbortedByUs;

  if (stream.open_ended()) {
    const auto& so_far = talk.response_so_far();
    const bool proven = talk.state.has_supposed_end && so_far.position == talk.state.supposed_end;
    const bool until_close = stream.body.kind() == http1::BodyKind::kUntilClose;
    // Who has read up to the sender's end has all of it, whatever comes after: a reset answers the
    // goodbye of a client whose server has gone.
    const bool sender_closed = client ? connection.ingress_ended : end.socket_error == 0;
    const bool cut = stream.body.kind() == http1::BodyKind::kLostChunks &&
                     end.open[static_cast<std::size_t>(connection.response_direction())];
    if (proven || (until_close && sender_closed)) {
      finish_response(talk, so_far.last_byte);
    } else if (!until_close && !cut) {
      // The answer may have been whole or not: nobody can tell.
      counters_.add(Counter::kExchangesUnknownEnd);
      queue.finish_oldest(open_, talk.ending(Outcome::kUnknown, so_far.last_byte));
    }
  }
  auto ending = talk.ending(aborted, end.time);
  ending.socket_error = end.socket_error;
  queue.abort_all(open_, ending);
  lose_all(talk, ProtocolCounter::kOrphanRequest);
}

}  // namespace exa
