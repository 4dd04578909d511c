#include "agent/conversation/http2/http2_conversation.h"

#include <algorithm>
#include <utility>

namespace exa {
namespace {

using http2::FrameStep;

constexpr std::uint16_t kHeaderTableSize = 1;  // RFC 9113 section 6.5.2
constexpr std::size_t kSettingBytes = 6;
constexpr std::size_t kGoawayBytes = 8;  // its fixed part
constexpr std::uint8_t kPriorityBytes = 5;
constexpr std::uint8_t kPromisedStreamBytes = 4;
constexpr std::uint32_t kUnknownCode = 0xffffffff;
constexpr std::uint32_t kStreamBits = 0x7fffffff;

std::uint32_t number_of(std::string_view bytes) {
  std::uint32_t number = 0;
  for (const char byte : bytes)
    number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

bool is_clients(std::uint32_t stream) {
  return stream % 2 == 1;
}

}  // namespace

Http2Conversation::Http2Conversation(ProtocolId id, const ConversationParts& parts)
    : id_(id),
      blocks_(parts.blocks),
      counters_(parts.counters),
      messages_(parts.messages),
      states_(whole_slabs(parts.max_connections)),
      tables_(std::min(kMostTables, whole_slabs(parts.max_connections))),
      streams_(parts) {}

bool Http2Conversation::open(Connection& connection, Opening opening) {
  blocks_.drop(opening.kept, *connection.process);
  connection.protocol = id_;
  connection.slot = states_.acquire();
  states_[connection.slot] = {};
  auto& state = states_[connection.slot];
  state.tables = tables_.acquire();
  if (state.tables == kNoSlot)
    counters_.add(Counter::kTablesExhausted);
  else
    for (auto& decoder : tables_[state.tables].decoders)
      decoder.restart(hpack::Start::kFromStart);
  return true;
}

ChunkUse Http2Conversation::on_bytes(Connection& connection, const ChunkEvent& chunk,
                                     std::string_view /*bytes*/, std::uint64_t /*gap_bytes*/) {
  if (!chunk.framed()) return ChunkUse::kNotProtocol;
  const Talk talk{connection, states_[connection.slot], chunk};
  if (chunk.position > connection.direction(chunk.direction).position) ++talk.here().untold;
  return read(talk);
}

ChunkUse Http2Conversation::read(const Talk& talk) {
  const auto& chunk = talk.chunk;
  http2::FrameReader frames(chunk.flow, chunk.bytes, chunk.position, chunk.length_bytes);
  if (frames.missed()) on_frames_missed(talk.connection, chunk.direction);
  if (frames.has_preface())
    talk.connection.role = chunk.direction == Direction::kIngress ? Role::kServer : Role::kClient;
  auto use = ChunkUse::kBelonging;
  while (true) {
    switch (frames.next()) {
      case FrameStep::kBegun:
        on_begun(talk, frames.frame());
        break;
      case FrameStep::kPayload:
        on_payload(talk, frames);
        break;
      case FrameStep::kEnded:
        if (on_ended(talk, frames.frame()) != ChunkUse::kBelonging) use = ChunkUse::kParseError;
        break;
      case FrameStep::kOver:
        return use;
      case FrameStep::kMismatch:
        messages_.add(ProtocolCounter::kParseErrorFraming);
        on_frames_missed(talk.connection, chunk.direction);
        return ChunkUse::kParseError;
    }
  }
}

// Any of the open answers may have ended in what went by. A request that did is one of which
// nothing is known.
void Http2Conversation::on_frames_missed(Connection& connection, Direction direction) {
  lose_table(connection, direction);
  if (connection.role == Role::kUnknown || direction != connection.response_direction()) return;
  streams_.forget_all(connection, states_[connection.slot], ProtocolCounter::kOrphanGap);
}

void Http2Conversation::lose_table(Connection& connection, Direction direction) {
  auto& state = states_[connection.slot];
  drop_block(connection, state.direction(direction).block);
  if (auto* decoder = decoder_of(state, direction)) decoder->lose();
}

hpack::Decoder* Http2Conversation::decoder_of(Http2State& state, Direction direction) {
  if (state.tables == kNoSlot) return nullptr;
  return &tables_[state.tables].decoders[static_cast<std::size_t>(direction)];
}

void Http2Conversation::on_begun(const Talk& talk, const http2::Frame& frame) {
  switch (frame.type) {
    case EXA_HTTP2_HEADERS:
    case EXA_HTTP2_PUSH_PROMISE:
      return begin_block(talk, frame);
    case EXA_HTTP2_CONTINUATION:
      return continue_block(talk, frame);
    case EXA_HTTP2_RST_STREAM:
      talk.here().reset_code = kUnknownCode;
      return;
    case EXA_HTTP2_DATA:
      if (frame.length > 0)
        streams_.add_body(talk.connection, frame.stream, talk.of_client(),
                          frame.has(EXA_HTTP2_PADDED) ? kUnknownBytes : frame.length,
                          talk.chunk.time);
      return;
    default:
      return;
  }
}

void Http2Conversation::on_payload(const Talk& talk, const http2::FrameReader& frames) {
  const auto& frame = frames.frame();
  const auto payload = frames.payload();
  const bool whole = payload.size() == frame.length;
  switch (frame.type) {
    case EXA_HTTP2_HEADERS:
    case EXA_HTTP2_PUSH_PROMISE:
    case EXA_HTTP2_CONTINUATION:
      return add_to_block(talk, payload);
    case EXA_HTTP2_SETTINGS:
      if (whole) on_settings(talk, payload);
      return;
    case EXA_HTTP2_RST_STREAM:
      if (whole) talk.here().reset_code = number_of(payload);
      return;
    case EXA_HTTP2_GOAWAY:
      if (whole && payload.size() >= kGoawayBytes && !talk.of_client())
        streams_.refuse_above(talk.connection, talk.state,
                              number_of(payload.substr(0, 4)) & kStreamBits,
                              talk.chunk.direction == Direction::kEgress, talk.chunk.time);
      return;
    default:
      return;
  }
}

ChunkUse Http2Conversation::on_ended(const Talk& talk, const http2::Frame& frame) {
  switch (frame.type) {
    case EXA_HTTP2_HEADERS:
    case EXA_HTTP2_PUSH_PROMISE:
    case EXA_HTTP2_CONTINUATION:
      if (talk.here().block.ends) return end_block(talk);
      break;
    case EXA_HTTP2_DATA:
      if (!frame.ends_stream()) break;
      if (talk.of_client())
        streams_.end_request(talk.connection, talk.state, frame.stream);
      else
        streams_.end_answer(talk.connection, talk.state, frame.stream, talk.chunk.time);
      break;
    case EXA_HTTP2_RST_STREAM:
      streams_.reset(talk.connection, talk.state, frame.stream, talk.here().reset_code,
                     talk.chunk.direction == Direction::kEgress, talk.chunk.time);
      break;
    case EXA_HTTP2_SETTINGS:
      if (frame.has(EXA_HTTP2_ACK)) on_settings_acknowledged(talk);
      break;
    default:
      break;
  }
  return ChunkUse::kBelonging;
}

// ---- field blocks

void Http2Conversation::begin_block(const Talk& talk, const http2::Frame& frame) {
  auto& block = talk.here().block;
  drop_block(talk.connection, block);
  block.stream = frame.stream;
  block.promised = frame.type == EXA_HTTP2_PUSH_PROMISE;
  block.ends_stream = frame.ends_stream();
  block.ends = frame.has(EXA_HTTP2_END_HEADERS);
  block.padded = frame.has(EXA_HTTP2_PADDED);
  block.front_left = block.promised                     ? kPromisedStreamBytes
                     : frame.has(EXA_HTTP2_PRIORITISED) ? kPriorityBytes
                                                        : std::uint8_t{0};
  block.bytes_left = frame.length;
  block.kept.start =
      start_at(talk.chunk, static_cast<std::int64_t>(frame.begin - talk.chunk.position));
  if (talk.chunk.tcp_sequence == 0) block.kept.start.sequence = 0;
}

// One of another stream, or without a beginning, belongs to nothing that was seen.
void Http2Conversation::continue_block(const Talk& talk, const http2::Frame& frame) {
  auto& block = talk.here().block;
  if (block.stream != frame.stream) drop_block(talk.connection, block);
  if (block.stream == 0) return;
  block.ends = frame.has(EXA_HTTP2_END_HEADERS);
  block.bytes_left = frame.length;
}

void Http2Conversation::add_to_block(const Talk& talk, std::string_view payload) {
  auto& block = talk.here().block;
  if (block.stream == 0) return;
  const auto take = [&](std::size_t bytes) {
    payload.remove_prefix(bytes);
    block.bytes_left -= static_cast<std::uint32_t>(std::min<std::size_t>(bytes, block.bytes_left));
  };
  if (block.padded && !payload.empty()) {
    const auto padding = static_cast<unsigned char>(payload.front());
    take(1);
    block.padded = false;
    block.bytes_left -= std::min<std::uint32_t>(padding, block.bytes_left);
  }
  const auto front = std::min<std::size_t>(block.front_left, payload.size());
  take(front);
  block.front_left = static_cast<std::uint8_t>(block.front_left - front);
  payload = payload.substr(0, block.bytes_left);
  if (payload.empty()) return;
  block.bytes_left -= static_cast<std::uint32_t>(payload.size());
  if (block.ends && block.bytes_left == 0 && block.kept.empty() && !block.too_long) {
    whole_block_ = payload;
    return;
  }
  const bool kept = block.kept.empty()
                        ? payload.size() <= MessageBlocks::kBlockBytes &&
                              blocks_.keep(block.kept, *talk.connection.process, payload)
                        : blocks_.add(block.kept, payload) == payload.size();
  block.too_long |= !kept;
}

ChunkUse Http2Conversation::end_block(const Talk& talk) {
  auto& block = talk.here().block;
  if (block.stream == 0) return ChunkUse::kOrphan;
  const auto text = block.kept.empty() ? whole_block_ : blocks_.text(block.kept);
  http2::Head head;
  const bool read = read_fields(talk, text, head);
  whole_block_ = {};
  on_head(talk, head);
  drop_block(talk.connection, block);
  return read ? ChunkUse::kBelonging : ChunkUse::kParseError;
}

void Http2Conversation::drop_block(const Connection& connection, Http2Block& block) {
  blocks_.drop(block.kept, *connection.process);
  block = {};
}

// False: the block is not valid, so that what it says may not be what was sent.
bool Http2Conversation::read_fields(const Talk& talk, std::string_view block, http2::Head& head) {
  const auto read = [&](const hpack::Field& field) { http2::read_field(field, head); };
  auto* decoder = decoder_of(talk.state, talk.chunk.direction);
  if (talk.here().block.too_long) {
    counters_.add(Counter::kHeadTooLong);
    if (decoder != nullptr) decoder->lose();
    // Pseudo-header fields come first; of what was kept the last field is cut.
    hpack::Decoder guess(hpack::Start::kJoined);
    guess.decode(block, read);
    return true;
  }
  if (decoder == nullptr) {
    hpack::Decoder without_table(hpack::Start::kJoined);
    without_table.decode(block, read);
    return true;
  }
  if (decoder->decode(block, read).status == hpack::BlockStatus::kDecoded) return true;
  messages_.add(talk.of_client() ? ProtocolCounter::kParseErrorRequest
                                 : ProtocolCounter::kParseErrorResponse);
  head = {};
  return false;
}

// ---- settings

void Http2Conversation::on_settings(const Talk& talk, std::string_view payload) {
  for (; payload.size() >= kSettingBytes; payload.remove_prefix(kSettingBytes)) {
    if (number_of(payload.substr(0, 2)) != kHeaderTableSize) continue;
    talk.here().table_bytes = number_of(payload.substr(2, 4));
    talk.here().table_asked = true;
  }
}

// Who has acknowledged writes its blocks for tables of that size.
void Http2Conversation::on_settings_acknowledged(const Talk& talk) {
  auto& asking = talk.state.direction(opposite(talk.chunk.direction));
  if (!std::exchange(asking.table_asked, false)) return;
  if (auto* decoder = decoder_of(talk.state, talk.chunk.direction))
    decoder->set_limit(asking.table_bytes);
}

// ---- messages

void Http2Conversation::learn_role(const Talk& talk, const http2::Head& head) {
  if (talk.connection.role != Role::kUnknown || head.has_method == head.has_status) return;
  const bool server = head.has_method == (talk.chunk.direction == Direction::kIngress);
  talk.connection.role = server ? Role::kServer : Role::kClient;
}

void Http2Conversation::on_head(const Talk& talk, const http2::Head& head) {
  const auto& block = talk.here().block;
  auto& state = talk.state;
  if (block.promised || !is_clients(block.stream)) return;
  learn_role(talk, head);
  if (talk.connection.role == Role::kUnknown) return;
  const auto& start = block.kept.start;
  if (!talk.of_client()) {
    if (block.stream > state.highest_stream)
      messages_.add(ProtocolCounter::kOrphanResponse);
    else
      streams_.on_answer(talk.connection, state, block.stream, start, head, talk.chunk.time,
                         block.ends_stream);
    return;
  }
  if (block.stream > state.highest_stream) {
    state.highest_stream = block.stream;
    streams_.begin(talk.connection, state, block.stream, start, head, block.ends_stream);
  } else if (block.ends_stream) {
    streams_.end_request(talk.connection, state, block.stream);
  }
}

// ---- the connection

void Http2Conversation::on_gap(Connection& /*connection*/, Direction /*direction*/,
                               std::uint64_t /*gap_bytes*/, MonotonicTime /*last_byte*/) {}

bool Http2Conversation::gap_fits(const Connection& /*connection*/, Direction /*direction*/,
                                 std::uint64_t /*gap_bytes*/) const {
  return false;
}

void Http2Conversation::on_end(Connection& connection, const EndEvent& end) {
  if (!connection.ended(connection.response_direction()) && !end.final) return;
  const bool client = connection.role == Role::kClient;
  const bool peer_closed =
      end.socket_error != 0 || (client ? connection.ingress_ended : connection.ingress_ended_first);
  streams_.abort_all(connection, states_[connection.slot],
                     {.outcome = peer_closed ? Outcome::kAbortedByPeer : Outcome::kAbortedByUs,
                      .last_byte = end.time,
                      .ports_proven = connection.ports_proven,
                      .socket_error = end.socket_error});
}

void Http2Conversation::on_endpoints(Connection& connection, std::uint32_t first_sequence) {
  streams_.learn_endpoints(connection, states_[connection.slot], first_sequence);
}

void Http2Conversation::abandon(Connection& connection) {
  auto& state = states_[connection.slot];
  streams_.forget_all(connection, state, ProtocolCounter::kOrphanRequest);
  for (auto& direction : state.directions)
    drop_block(connection, direction.block);
  if (state.tables != kNoSlot) tables_.release(state.tables);
  states_.release(connection.slot);
  connection.slot = kNoSlot;
}

}  // namespace exa
