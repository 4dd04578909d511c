#include "agent/connection/http1_conversation.h"

#include <algorithm>

#include "agent/protocol/proxy_header.h"

namespace exa {
namespace {

using Verdict = Detection::Verdict;

constexpr std::string_view kLastChunk = "\r\n0\r\n\r\n";

bool starts(const Detection& detection, Side side) {
  return detection.verdict == Verdict::kYes && detection.side == side;
}

// A request may also follow what a proxy or another protocol says before the first one.
bool behind_preamble(const ChunkEvent& chunk, const Detection& detection) {
  return starts(detection, Side::kRequest) && chunk.position < kMaxPreambleBytes &&
         chunk.other.position == 0;
}

}  // namespace

Http1Conversation::Http1Conversation(ExchangeMatcher& matcher, Counters& counters,
                                     std::size_t max_head_blocks)
    : matcher_(matcher),
      counters_(counters),
      max_blocks_(max_head_blocks),
      blocks_(max_head_blocks) {}

ChunkUse Http1Conversation::on_bytes(Connection& connection, const ChunkEvent& chunk,
                                     std::string_view bytes, std::uint64_t gap_bytes) {
  auto& stream = connection.stream(chunk.direction);
  const auto end = stream.position + bytes.size() + gap_bytes;
  auto use = ChunkUse::kBelonging;
  if (connection.role == Role::kUnknown && stream.position == 0) {
    const auto preamble = proxy_header_bytes(bytes);
    stream.position += preamble;
    bytes.remove_prefix(preamble);
  }
  bool lost = stream.state == StreamState::kLost && !try_begin(connection, chunk, bytes, use);
  if (!lost && stream.state == StreamState::kBody) {
    if (connection.request_direction() == chunk.direction) {
      settle_request_end(connection, chunk, bytes);
    } else {
      settle_response_end(connection, bytes);
    }
    if (stream.state == StreamState::kLost) {
      lost = true;
      use = ChunkUse::kOrphan;
    }
  }
  stream.last_byte = chunk.time;

  while (!lost && !bytes.empty()) {
    const auto step = read(connection, chunk, bytes, gap_bytes > 0);
    stream.position += step.used_bytes;
    bytes.remove_prefix(step.used_bytes);
    lost = step.lost;
    if (step.use != ChunkUse::kBelonging) use = step.use;
  }
  if (lost) {
    stream.position = end;
  } else {
    if (gap_bytes > 0) on_gap(connection, chunk.direction, gap_bytes, chunk.time, true);
    settle_chunked_end(connection, chunk);
  }
  return use;
}

bool Http1Conversation::try_begin(Connection& connection, const ChunkEvent& chunk,
                                  std::string_view bytes, ChunkUse& use) {
  const bool known = connection.role != Role::kUnknown;
  use = known ? ChunkUse::kOrphan : ChunkUse::kNotProtocol;
  const auto detection = detect_protocol(bytes);
  if (bytes.empty() || detection.verdict == Verdict::kNo) return false;
  if (known && chunk.direction != connection.request_direction()) {
    if (starts(detection, Side::kResponse)) counters_.add(Counter::kOrphanResponse);
    return false;
  }
  if (!turned(chunk) && (known || !behind_preamble(chunk, detection))) return false;
  if (known) {
    // Answers to pipelined requests that were lost may still come: whose is not known any more.
    if (connection.pipelined) return false;
    if (!connection.unanswered.empty() || starts(detection, Side::kResponse)) return false;
    begin(connection, connection.role);
  } else {
    connection.stream(chunk.direction).state = StreamState::kHead;
  }
  use = ChunkUse::kBelonging;
  return true;
}

void Http1Conversation::begin(Connection& connection, Role role) {
  connection.role = role;
  connection.protocol = ProtocolId::kHttp1;
  connection.has_supposed_end = false;
  connection.request().state = StreamState::kHead;
  drop_head(connection, connection.response());
  connection.response().state = StreamState::kHead;
}

// A response without a known end: a request came, and then the next response begins at the very
// byte where this one stood. Anything else there, and it went on.
void Http1Conversation::settle_response_end(Connection& connection, std::string_view bytes) {
  auto& stream = connection.response();
  if (!stream.open_ended() || !connection.has_supposed_end) return;
  const bool proven =
      stream.position == connection.supposed_end && starts(detect_protocol(bytes), Side::kResponse);
  connection.has_supposed_end = false;
  if (proven) {
    finish_response(connection, stream.last_byte);
  } else {
    lose_response_end(connection);
  }
}

// A request body whose end cannot be counted ends with the answer, whatever it looks like; a body
// that waits for a 100 may never be sent. Of the next request the first read may take one byte
// only: so Go's servers notice that a client has left.
void Http1Conversation::settle_request_end(Connection& connection, const ChunkEvent& chunk,
                                           std::string_view bytes) {
  auto& stream = connection.request();
  const bool unsent = stream.expect_continue && stream.body.untouched();
  if (!stream.open_ended() && !unsent) return;
  // Nobody can tell how many answers are to come.
  if (stream.body.kind() == http1::BodyKind::kDisputed && connection.pipelined) return;
  const auto detection = detect_protocol(bytes);
  if (bytes.empty() || detection.verdict == Verdict::kNo || starts(detection, Side::kResponse))
    return;
  const auto& queue = connection.unanswered;
  // A client that reads the rest of an answer by splice makes its next request before that is told.
  const bool answer_runs =
      connection.response().open_ended() ||
      (connection.role == Role::kClient && connection.response().state == StreamState::kBody);
  const bool answered = queue.empty() || (answer_runs && queue.size + queue.passed_over == 1);
  if (answered && turned(chunk)) stream.state = StreamState::kHead;
}

// A body whose framing was not seen may prove its end with its last bytes.
void Http1Conversation::settle_chunked_end(Connection& connection, const ChunkEvent& chunk) {
  auto& stream = connection.stream(chunk.direction);
  if (!stream.end_unseen()) return;
  const std::string_view bytes{reinterpret_cast<const char*>(chunk.bytes.data()),
                               chunk.bytes.size()};
  const bool whole = bytes.size() == chunk.length_bytes;
  if (!chunk.ends_chunks && !(whole && bytes.ends_with(kLastChunk))) return;
  if (connection.request_direction() == chunk.direction) {
    stream.state = StreamState::kHead;
    return;
  }
  // Where more than one waits, this may be the end of any of their answers.
  const auto& queue = connection.unanswered;
  if (queue.size + queue.passed_over == 1) finish_response(connection, chunk.time);
}

Http1Conversation::Step Http1Conversation::read(Connection& connection, const ChunkEvent& chunk,
                                                std::string_view bytes, bool cut) {
  switch (connection.stream(chunk.direction).state) {
    case StreamState::kHead:
      if (connection.role == Role::kUnknown)
        return read_undetermined(connection, chunk, bytes, cut);
      return connection.request_direction() == chunk.direction
                 ? read_request_head(connection, chunk, bytes, cut)
                 : read_response_head(connection, chunk, bytes, cut);
    case StreamState::kBody:
      return read_body(connection, chunk, bytes);
    case StreamState::kAwaitTunnel:
      return {.used_bytes = bytes.size()};
    case StreamState::kLost:
      break;
  }
  return {.use = ChunkUse::kOrphan, .lost = true};
}

Http1Conversation::Step Http1Conversation::read_body(Connection& connection,
                                                     const ChunkEvent& chunk,
                                                     std::string_view bytes) {
  auto& stream = connection.stream(chunk.direction);
  const bool is_request = connection.request_direction() == chunk.direction;
  const auto result = stream.body.consume(bytes);
  if (result.status == ParseStatus::kInvalid) {
    counters_.add(Counter::kParseErrorFraming);
    if (is_request) {
      lose_requests(connection);
    } else {
      abandon(connection, Counter::kOrphanRequest);
    }
    return {.use = ChunkUse::kParseError, .lost = true};
  }
  const bool ended = result.status == ParseStatus::kMessage;
  if (is_request) {
    matcher_.add_request_bytes(connection.unanswered, result.consumed_bytes);
    connection.pipelined |= stream.body.may_hide_request();
    if (ended) stream.state = StreamState::kHead;
  } else {
    matcher_.add_response_bytes(connection.unanswered, result.consumed_bytes, chunk.time);
    if (ended) finish_response(connection, chunk.time);
  }
  return {.used_bytes = result.consumed_bytes};
}

void Http1Conversation::finish_response(Connection& connection, MonotonicTime last_byte) {
  matcher_.finish(connection.unanswered, Outcome::kComplete, last_byte);
  connection.response().state = StreamState::kHead;
  connection.has_supposed_end = false;
}

bool Http1Conversation::gap_fits(const Stream& stream, std::uint64_t gap_bytes) {
  if (stream.state == StreamState::kHead) return false;
  if (stream.state != StreamState::kBody) return true;
  auto body = stream.body;
  return body.skip(gap_bytes).status != http1::SkipStatus::kPastEnd;
}

void Http1Conversation::on_gap(Connection& connection, Direction direction, std::uint64_t gap_bytes,
                               MonotonicTime last_byte, bool exact) {
  auto& stream = connection.stream(direction);
  if (stream.state == StreamState::kHead) gap_in_head(connection, direction, last_byte);
  if (stream.state == StreamState::kBody)
    gap_in_body(connection, direction, gap_bytes, last_byte, exact);
  stream.position += gap_bytes;
  stream.last_byte = std::max(stream.last_byte, last_byte);
}

// Either the rest of a head that was begun, which leaves a body of unknown length, or a whole
// message or more.
void Http1Conversation::gap_in_head(Connection& connection, Direction direction,
                                    MonotonicTime last_byte) {
  auto& stream = connection.stream(direction);
  const auto kept = kept_head(stream);
  if (connection.role == Role::kUnknown) {
    drop_head(connection, stream);
    stream.state = StreamState::kLost;
    return;
  }
  if (direction == connection.request_direction()) {
    http1::RequestHead head;
    if (!kept.empty() && accept_cut_request(connection, kept, head)) return;
    counters_.add(Counter::kOrphanGap);
    lose_requests(connection);
  } else {
    http1::ResponseHead head;
    if (!kept.empty() && accept_cut_response(connection, kept, head, last_byte)) return;
    abandon(connection, Counter::kOrphanGap);
  }
}

void Http1Conversation::gap_in_body(Connection& connection, Direction direction,
                                    std::uint64_t gap_bytes, MonotonicTime last_byte, bool exact) {
  using http1::SkipStatus;
  auto& stream = connection.stream(direction);
  auto& queue = connection.unanswered;
  if (direction == connection.request_direction()) {
    const auto result = stream.body.skip(gap_bytes);
    matcher_.add_request_bytes(queue, gap_bytes - result.past_end_bytes);
    connection.pipelined |= stream.body.may_hide_request();
    if (result.status == SkipStatus::kEnd) stream.state = StreamState::kHead;
    if (result.status == SkipStatus::kPastEnd) {
      counters_.add(Counter::kOrphanGap);
      lose_requests(connection);
    }
    return;
  }

  if (connection.has_supposed_end) {
    connection.has_supposed_end = false;
    lose_response_end(connection);
    if (stream.state == StreamState::kLost) return;
  }
  const auto result = stream.body.skip(gap_bytes);
  matcher_.add_response_bytes(queue, gap_bytes - result.past_end_bytes, last_byte);
  switch (result.status) {
    case SkipStatus::kInside:
      break;
    case SkipStatus::kEnd:
      finish_response(connection, last_byte);
      break;
    case SkipStatus::kFramingLost:
      lose_response_end(connection);
      break;
    case SkipStatus::kPastEnd:
      if (exact) finish_response(connection, last_byte);
      abandon(connection, Counter::kOrphanGap);
      break;
  }
}

void Http1Conversation::lose_requests(Connection& connection) {
  drop_head(connection, connection.request());
  connection.request().state = StreamState::kLost;
}

void Http1Conversation::lose_response_end(Connection& connection) {
  const auto& queue = connection.unanswered;
  const bool until_close = connection.response().body.kind() == http1::BodyKind::kUntilClose;
  if (!until_close && queue.size + queue.passed_over > 1) abandon(connection, Counter::kOrphanGap);
}

void Http1Conversation::abandon(Connection& connection, Counter reason) {
  matcher_.forget_all(connection.unanswered, reason);
  connection.has_supposed_end = false;
  for (auto& stream : connection.streams) {
    drop_head(connection, stream);
    stream.state = StreamState::kLost;
  }
}

void Http1Conversation::on_response_end(Connection& connection, const EndEvent& end) {
  auto& queue = connection.unanswered;
  if (connection.upgraded || connection.role == Role::kUnknown || queue.size == 0) return;
  const bool client = connection.role == Role::kClient;
  const bool peer_closed =
      end.socket_error != 0 || (client ? connection.ingress_ended : connection.ingress_ended_first);
  const auto aborted = peer_closed ? Outcome::kAbortedByPeer : Outcome::kAbortedByUs;

  auto& stream = connection.response();
  if (stream.open_ended()) {
    const bool proven = connection.has_supposed_end && stream.position == connection.supposed_end;
    const bool until_close = stream.body.kind() == http1::BodyKind::kUntilClose;
    // Who has read up to the sender's end has all of it, whatever comes after: a reset answers the
    // goodbye of a client whose server has gone.
    const bool sender_closed = client ? connection.ingress_ended : end.socket_error == 0;
    const bool cut = stream.body.kind() == http1::BodyKind::kLostChunks &&
                     end.open[static_cast<std::size_t>(opposite(connection.request_direction()))];
    if (proven || (until_close && sender_closed)) {
      finish_response(connection, stream.last_byte);
    } else if (!until_close && !cut) {
      // The answer may have been whole or not: nobody can tell.
      counters_.add(Counter::kExchangesUnknownEnd);
      matcher_.finish(queue, Outcome::kUnknown, stream.last_byte);
    }
  }
  matcher_.abort_all(queue, aborted, end.time, end.socket_error);
  abandon(connection, Counter::kOrphanRequest);
}

}  // namespace exa
