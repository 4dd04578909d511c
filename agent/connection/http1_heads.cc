// The heads of Http1Conversation: parsed where they lie in the ring if they are whole there, else
// gathered in a block.
#include <algorithm>
#include <cstring>

#include "agent/connection/http1_conversation.h"
#include "agent/protocol/http1/line_reader.h"

namespace exa {
namespace {

using Verdict = Detection::Verdict;

// The first bytes of a connection tell what it speaks; so many are looked at.
constexpr std::size_t kEarlyLookBytes = 64;

std::size_t leading_blank(std::string_view text) {
  const auto begin = std::ranges::find_if(text, [](char c) { return c != '\r' && c != '\n'; });
  return static_cast<std::size_t>(begin - text.begin());
}

bool is_blank(std::string_view text) {
  return leading_blank(text) == text.size();
}

// Whether the newest bytes of a head can make it whole or invalid. Beyond its first line's start
// only a line's end can, or a control character: most of a head that trickles in is not read again.
bool may_decide(std::string_view text, std::size_t kept_bytes) {
  return kept_bytes <= kEarlyLookBytes || text[kept_bytes - 1] == '\r' ||
         http1::find_line_control(text, kept_bytes) < text.size();
}

// When a head began. bytes are the rest of the chunk; of its first byte more is known where the
// call took long.
MonotonicTime start_of(const ChunkEvent& chunk, std::string_view bytes) {
  return bytes.size() == chunk.bytes.size() && chunk.first_byte.known() ? chunk.first_byte
                                                                        : chunk.time;
}

// bytes are the rest of the chunk, from the head's first byte or the blank lines before it.
void note_head_start(Stream& stream, const ChunkEvent& chunk, std::string_view bytes) {
  const auto offset = chunk.bytes.size() - bytes.size();
  stream.head_time = start_of(chunk, bytes);
  // Only of the chunk's first byte is it known when it came.
  stream.head_arrival = offset == 0 ? chunk.arrival : MonotonicTime{};
  stream.head_sequence =
      chunk.tcp_sequence + static_cast<std::uint32_t>(offset + leading_blank(bytes));
  stream.head_tgid = chunk.tgid;
}

// A request right behind another one. One that only has a lost answer before it comes at a turn.
void note_pipelining(Connection& connection, const ChunkEvent& chunk, std::string_view bytes) {
  const auto waiting = connection.unanswered.size;
  if (waiting > (connection.response().open_ended() ? 2U : 1U) &&
      (bytes.size() < chunk.bytes.size() || !turned(chunk)))
    connection.pipelined = true;
}

}  // namespace

Http1Conversation::HeadText Http1Conversation::gather(Stream& stream, std::string_view bytes) {
  if (stream.head_bytes == 0) return {bytes, 0, bytes.size()};
  const std::size_t kept = stream.head_bytes;
  const auto taken = std::min(bytes.size(), http1::kMaxHeadBytes - kept);
  std::memcpy(blocks_[stream.head_block].data() + kept, bytes.data(), taken);
  stream.head_bytes = static_cast<std::uint16_t>(kept + taken);
  return {kept_head(stream), kept, taken};
}

bool Http1Conversation::keep(Connection& connection, Stream& stream, std::string_view bytes) {
  if (stream.head_bytes > 0) return true;  // gathered already
  bytes.remove_prefix(leading_blank(bytes));
  auto& process = *connection.unanswered.process;
  const auto free = max_blocks_ - blocks_.in_use();
  if (free > 0 && !process.may_take(Place::kHead, free)) {
    process.lose(Place::kHead);
    counters_.add(Counter::kHeadBlocksOverShare);
    return false;
  }
  const auto block = blocks_.acquire();
  if (block == kNoSlot) {
    counters_.add(Counter::kHeadBlocksExhausted);
    return false;
  }
  process.take(Place::kHead);
  std::memcpy(blocks_[block].data(), bytes.data(), bytes.size());
  stream.head_block = block;
  stream.head_bytes = static_cast<std::uint16_t>(bytes.size());
  return true;
}

void Http1Conversation::drop_head(Connection& connection, Stream& stream) {
  if (stream.head_bytes == 0) return;
  blocks_.release(stream.head_block);
  connection.unanswered.process->give_back(Place::kHead);
  stream.head_block = kNoSlot;
  stream.head_bytes = 0;
}

std::string_view Http1Conversation::kept_head(const Stream& stream) const {
  if (stream.head_bytes == 0) return {};
  return {blocks_[stream.head_block].data(), stream.head_bytes};
}

// Nothing is known of the connection yet: the first bytes tell who speaks.
Http1Conversation::Step Http1Conversation::read_undetermined(Connection& connection,
                                                             const ChunkEvent& chunk,
                                                             std::string_view bytes, bool cut) {
  auto& stream = connection.stream(chunk.direction);
  const auto kept = kept_head(stream);
  if (kept.empty() && is_blank(bytes) && !cut) return {.used_bytes = bytes.size()};
  std::array<char, kEarlyLookBytes> first;
  const auto from_kept = std::min(kept.size(), first.size());
  const auto from_chunk = std::min(bytes.size(), first.size() - from_kept);
  std::copy_n(kept.begin(), from_kept, first.begin());
  std::copy_n(bytes.begin(), from_chunk, first.begin() + static_cast<std::ptrdiff_t>(from_kept));
  const auto detection = detect_protocol({first.data(), from_kept + from_chunk});

  const bool ingress = chunk.direction == Direction::kIngress;
  if (detection.verdict == Verdict::kYes && detection.side == Side::kRequest) {
    begin(connection, ingress ? Role::kServer : Role::kClient);
    return read_request_head(connection, chunk, bytes, cut);
  }
  if (detection.verdict == Verdict::kNeedMore && !cut && from_kept + from_chunk < first.size()) {
    if (kept.empty()) note_head_start(stream, chunk, bytes);
    if (kept.empty() ? keep(connection, stream, bytes)
                     : gather(stream, bytes).taken_bytes == bytes.size())
      return {.used_bytes = bytes.size()};
  }
  drop_head(connection, stream);
  stream.state = StreamState::kLost;
  if (detection.verdict != Verdict::kYes) return {.use = ChunkUse::kNotProtocol, .lost = true};
  // A response whose request was before our time.
  connection.role = ingress ? Role::kClient : Role::kServer;
  connection.protocol = ProtocolId::kHttp1;
  connection.confirmed = true;
  counters_.add(Counter::kOrphanResponse);
  return {.use = ChunkUse::kOrphan, .lost = true};
}

Http1Conversation::Step Http1Conversation::read_request_head(Connection& connection,
                                                             const ChunkEvent& chunk,
                                                             std::string_view bytes, bool cut) {
  auto& stream = connection.request();
  const auto head_text = gather(stream, bytes);
  const bool whole_or_never = (cut && head_text.taken_bytes == bytes.size()) ||
                              head_text.text.size() >= http1::kMaxHeadBytes;
  http1::RequestHead head;
  ParseResult result;
  if (whole_or_never || may_decide(head_text.text, head_text.kept_bytes))
    result = http1::parse_request_head(head_text.text, head);

  if (head_text.kept_bytes == 0) note_head_start(stream, chunk, bytes);
  // Behind something unknown only a valid head proves that the connection speaks HTTP.
  const bool first = chunk.position == 0 || stream.position == head_text.kept_bytes;
  if (result.reason != InvalidReason::kNone && !connection.confirmed && !first)
    return reject_request(connection, result.reason);
  if (result.status == ParseStatus::kMessage) {
    accept_request(connection, head, result.consumed_bytes - head.leading_bytes);
    note_pipelining(connection, chunk, bytes);
    drop_head(connection, stream);
    return {.used_bytes = result.consumed_bytes - head_text.kept_bytes,
            .use = use_of_head(result.reason, Counter::kParseErrorRequest)};
  }
  if (result.status == ParseStatus::kInvalid) return reject_request(connection, result.reason);
  if (is_blank(head_text.text)) {
    drop_head(connection, stream);
    return {.used_bytes = head_text.taken_bytes};
  }
  if (whole_or_never) {
    if (accept_cut_request(connection, head_text.text, head))
      return {.used_bytes = head_text.taken_bytes};
    if (!connection.confirmed) return reject_request(connection, InvalidReason::kStartLine);
    counters_.add(Counter::kOrphanGap);
  } else if (keep(connection, stream, bytes)) {
    return {.used_bytes = bytes.size()};
  }
  lose_requests(connection);
  return {.use = ChunkUse::kOrphan, .lost = true};
}

Http1Conversation::Step Http1Conversation::reject_request(Connection& connection,
                                                          InvalidReason reason) {
  lose_requests(connection);
  if (!connection.confirmed) {
    // It only looked like a method: the connection speaks something else.
    abandon(connection, Counter::kOrphanRequest);
    connection.role = Role::kUnknown;
    connection.protocol = ProtocolId::kUnknown;
    return {.use = ChunkUse::kNotProtocol, .lost = true};
  }
  return {.use = use_of_head(reason, Counter::kParseErrorRequest), .lost = true};
}

ChunkUse Http1Conversation::use_of_head(InvalidReason breach, Counter counter) {
  if (breach == InvalidReason::kNone) return ChunkUse::kBelonging;
  counters_.add(is_framing(breach) ? Counter::kParseErrorFraming : counter);
  return ChunkUse::kParseError;
}

void Http1Conversation::accept_request(Connection& connection, const http1::RequestHead& head,
                                       std::uint64_t head_bytes) {
  auto& stream = connection.request();
  auto& response = connection.response();
  connection.confirmed = true;
  connection.pipelined |= head.hides_request;
  if (response.open_ended() && !connection.has_supposed_end) {
    connection.has_supposed_end = true;
    connection.supposed_end = response.position;
  }
  const RequestOrigin origin{.socket = connection.id,
                             .local = connection.local,
                             .remote = connection.remote,
                             .role = connection.role,
                             .tls = connection.tls,
                             .tgid = stream.head_tgid != 0 ? stream.head_tgid : connection.tgid,
                             .tcp_sequence = stream.head_sequence,
                             .arrival = stream.head_arrival,
                             .first_byte = stream.head_time};
  matcher_.on_request(connection.unanswered, origin, head, head_bytes);
  stream.expect_continue = head.expect_continue;
  stream.body.start(head.body);
  stream.state = head.body.kind == http1::BodyKind::kNone ? StreamState::kHead : StreamState::kBody;
  if (head.method == Method::kConnect) stream.state = StreamState::kAwaitTunnel;
}

bool Http1Conversation::accept_cut_request(Connection& connection, std::string_view text,
                                           http1::RequestHead& head) {
  const auto result = http1::parse_request_head(text, head);
  if (result.status != ParseStatus::kNeedMore || !http1::cut_request_head(text, head)) return false;
  counters_.add(Counter::kHeadTooLong);
  if (head.context.state() == ContextState::kAbsent) counters_.add(Counter::kContextCut);
  accept_request(connection, head, text.size() - head.leading_bytes);
  drop_head(connection, connection.request());
  return true;
}

// A server need not read a head to its end to refuse it. What of it is still to come is no request.
bool Http1Conversation::accept_unfinished_request(Connection& connection, const ChunkEvent& answer,
                                                  std::string_view bytes) {
  const auto kept = kept_head(connection.request());
  const bool all_seen = answer.other.position == connection.request().position;
  const auto detection = detect_protocol(bytes);
  if (kept.empty() || !all_seen || detection.verdict != Verdict::kYes ||
      detection.side != Side::kResponse)
    return false;
  http1::RequestHead head;
  const auto result = http1::parse_request_head(kept, head);
  if (result.status != ParseStatus::kNeedMore || !http1::cut_request_head(kept, head)) return false;
  counters_.add(Counter::kParseErrorRequest);
  head.body = {http1::BodyKind::kDisputed, 0};
  accept_request(connection, head, kept.size() - head.leading_bytes);
  drop_head(connection, connection.request());
  return true;
}

Http1Conversation::Step Http1Conversation::read_response_head(Connection& connection,
                                                              const ChunkEvent& chunk,
                                                              std::string_view bytes, bool cut) {
  auto& stream = connection.response();
  auto& queue = connection.unanswered;
  if (queue.empty() && accept_unfinished_request(connection, chunk, bytes))
    return {.use = ChunkUse::kParseError};
  if (queue.empty() || (queue.size == 0 && queue.passed_over_bodiless)) {
    if (is_blank(bytes)) return {.used_bytes = bytes.size()};
    const auto detection = detect_protocol(bytes);
    if (queue.empty() && detection.verdict == Verdict::kYes && detection.side == Side::kResponse)
      counters_.add(Counter::kOrphanResponse);
    abandon(connection, Counter::kOrphanRequest);
    return {.use = ChunkUse::kOrphan, .lost = true};
  }

  const auto head_text = gather(stream, bytes);
  const bool whole_or_never = (cut && head_text.taken_bytes == bytes.size()) ||
                              head_text.text.size() >= http1::kMaxHeadBytes;
  if (head_text.kept_bytes == 0) stream.head_time = start_of(chunk, bytes);
  http1::ResponseHead head;
  ParseResult result;
  if (whole_or_never || may_decide(head_text.text, head_text.kept_bytes))
    result = http1::parse_response_head(head_text.text, matcher_.awaited_method(queue), head);

  if (result.status == ParseStatus::kMessage || result.status == ParseStatus::kUpgraded) {
    drop_head(connection, stream);  // nothing of a response head is a view
    accept_response(connection, head, result.status, result.consumed_bytes - head.leading_bytes,
                    chunk.time);
    return {.used_bytes = result.consumed_bytes - head_text.kept_bytes,
            .use = use_of_head(result.reason, Counter::kParseErrorResponse),
            .lost = connection.upgraded};
  }
  if (result.status == ParseStatus::kInvalid) {
    abandon(connection, Counter::kOrphanRequest);
    return {.use = use_of_head(result.reason, Counter::kParseErrorResponse), .lost = true};
  }
  if (is_blank(head_text.text)) {
    drop_head(connection, stream);
    return {.used_bytes = head_text.taken_bytes};
  }
  if (whole_or_never) {
    if (accept_cut_response(connection, head_text.text, head, chunk.time))
      return {.used_bytes = head_text.taken_bytes, .lost = stream.state == StreamState::kLost};
  } else if (keep(connection, stream, bytes)) {
    return {.used_bytes = bytes.size()};
  }
  abandon(connection, Counter::kOrphanGap);
  return {.use = ChunkUse::kOrphan, .lost = true};
}

void Http1Conversation::accept_response(Connection& connection, const http1::ResponseHead& head,
                                        ParseStatus status, std::uint64_t head_bytes,
                                        MonotonicTime last_byte) {
  if (head.is_interim()) return;
  auto& stream = connection.response();
  auto& queue = connection.unanswered;
  const bool answers_connect = matcher_.awaited_method(queue) == Method::kConnect;
  matcher_.on_response_head(queue, head, stream.head_time, last_byte, head_bytes);
  if (status == ParseStatus::kUpgraded) {
    matcher_.finish(queue, Outcome::kUpgraded, last_byte);
    abandon(connection, Counter::kOrphanRequest);
    connection.upgraded = true;
    return;
  }
  // No tunnel came to be: requests go on at the next change of direction.
  if (answers_connect) connection.request().state = StreamState::kLost;
  stream.body.start(head.body);
  if (head.body.kind == http1::BodyKind::kNone) {
    finish_response(connection, last_byte);
    return;
  }
  stream.state = StreamState::kBody;
  if (stream.open_ended()) lose_response_end(connection);
}

bool Http1Conversation::accept_cut_response(Connection& connection, std::string_view text,
                                            http1::ResponseHead& head, MonotonicTime last_byte) {
  const auto method = matcher_.awaited_method(connection.unanswered);
  const auto result = http1::parse_response_head(text, method, head);
  if (result.status != ParseStatus::kNeedMore || !http1::cut_response_head(text, head))
    return false;
  if (head.status < 200) return false;  // where the answer itself starts is not known then
  counters_.add(Counter::kHeadTooLong);
  drop_head(connection, connection.response());
  accept_response(connection, head, ParseStatus::kMessage, text.size() - head.leading_bytes,
                  last_byte);
  return true;
}

}  // namespace exa
