#include "agent/conversation/http2/http2_conversation.h"

#include <string>
#include <utility>

#include "agent/connection/request_origin.h"
#include "agent/protocol/http2/hpack/table_text.h"

namespace exa {

using http2::FrameStep;

namespace {

// Before a table that is handed over.
constexpr char kSpokeHttp = 'h';
constexpr char kSpokeGrpc = 'g';

void note_sequence(Http2Direction& direction, const ChunkEvent& chunk) {
  direction.sequenced = chunk.tcp_sequence != 0;
  direction.first_sequence = chunk.tcp_sequence - static_cast<std::uint32_t>(chunk.position);
  direction.next_sequence = chunk.tcp_sequence + chunk.length_bytes;
}

}  // namespace

Http2Conversation::Http2Conversation(ProtocolId id, const ConversationParts& parts)
    : id_(id),
      open_(parts.open),
      counters_(parts.counters),
      messages_(parts.messages),
      earlier_(parts.earlier),
      contexts_(parts.propagators),
      blocks_(parts.blocks, parts.counters),
      states_(whole_slabs(parts.max_connections)),
      tables_(kMaxTables),
      large_tables_(kMaxLargeTables),
      streams_(parts.open.most()) {}

// Nothing is kept of a connection whose first chunk is framed.
bool Http2Conversation::open(Connection& connection, Opening opening) {
  connection.protocol = id_;
  connection.slot = states_.acquire();
  auto& state = states_[connection.slot];
  state = {};
  state.tables = tables_.acquire();
  if (state.tables == kNoSlot) {
    counters_.add(Counter::kHeadTablesExhausted);
  } else {
    // Their last users' large tables are others' by now.
    for (auto& decoder : tables_[state.tables].decoders)
      decoder.restart(hpack::Start::kJoined);
    tables_[state.tables].large = {kNoSlot, kNoSlot};
  }
  if (opening.asked != kNoSlot) take_over(talk_on(connection), opening.asked);
  return true;
}

void Http2Conversation::take_over(const Http2Talk& talk, std::uint32_t asked) {
  auto& state = talk.state;
  state.highest_stream = 1;
  state.first_stream_seen = 1;
  const auto slot = streams_.insert(state.streams, talk.connection.slot, 1);
  if (slot == kNoSlot) {
    open_.forget(asked, *talk.connection.process, ProtocolCounter::kRequestsUnansweredOverflow);
    return;
  }
  streams_[slot].exchange = asked;
  streams_[slot].request_ended = true;
  auto& exchange = open_[asked];
  exchange.protocol_version = ProtocolVersion::k2;
  // Those of the 101.
  exchange.operation.status = 0;
  exchange.first_response = {};
  exchange.last_response = {};
}

Http2Talk Http2Conversation::talk_on(Connection& connection) {
  return {connection, states_[connection.slot]};
}

ChunkUse Http2Conversation::on_bytes(Connection& connection, const ChunkEvent& chunk,
                                     std::string_view /*bytes*/, std::uint64_t /*gap_bytes*/) {
  const auto talk = talk_on(connection);
  if (!chunk.framed()) {
    miss(talk, chunk.direction, chunk.time);
    return ChunkUse::kOrphan;
  }
  http2::FrameReader frames(chunk.flow, chunk.bytes, chunk.position, chunk.length_bytes);
  Reading reading{.talk = talk,
                  .chunk = chunk,
                  .direction = talk.direction(chunk.direction),
                  .frames = frames,
                  .whole_block = {}};
  begin_record(reading);
  while (true) {
    switch (frames.next()) {
      case FrameStep::kBegun:
        begin_frame(reading);
        break;
      case FrameStep::kPayload:
        take_payload(reading);
        break;
      case FrameStep::kEnded:
        end_frame(reading);
        break;
      case FrameStep::kOver:
        if (frames.within_frame() && frames.frame().type == EXA_HTTP2_DATA)
          reading.direction.under_way = frames.frame();
        if (!told_tables_.empty()) take_told(talk, chunk.direction);
        return reading.use;
      case FrameStep::kMismatch:
        messages_.add(ProtocolCounter::kParseErrorFraming);
        miss(talk, chunk.direction, chunk.time);
        return ChunkUse::kParseError;
    }
  }
}

void Http2Conversation::begin_record(Reading& reading) {
  const auto& talk = reading.talk;
  const auto which = reading.chunk.direction;
  const bool missed = reading.frames.missed();
  const bool first = !reading.direction.begun;
  if (first) {
    reading.direction.begun = true;
    const bool joined = missed || (reading.frames.within_frame() &&
                                   reading.frames.frame().type != EXA_HTTP2_NO_FRAME);
    if (talk.state.tables != kNoSlot)
      decoder(talk, which).restart(joined ? hpack::Start::kJoined : hpack::Start::kFromStart);
  } else {
    pass_jump(talk, reading.chunk);
  }
  if (missed) miss(talk, which, reading.chunk.previous_last_byte);
  if (first && missed) take_over_table(talk, reading.chunk);
  note_sequence(reading.direction, reading.chunk);
  note_goroutine(talk, reading.chunk);
  if (reading.frames.has_preface() && talk.connection.role == Role::kUnknown)
    talk.connection.role = which == Direction::kIngress ? Role::kServer : Role::kClient;
}

void Http2Conversation::take_over_table(const Http2Talk& talk, const ChunkEvent& chunk) {
  if (chunk.position != 0 || chunk.tls || talk.state.tables == kNoSlot) return;
  const auto known = earlier_.take(talk.connection.id, chunk.direction, chunk.tcp_sequence);
  if (known.empty() || !hpack::restore(decoder(talk, chunk.direction), known.substr(1))) return;
  counters_.add(Counter::kHeadTablesTaken);
  talk.state.speaks_grpc |= known.front() == kSpokeGrpc;
  lend_large_table(talk, chunk.direction);
}

void Http2Conversation::hand_over(const Connection& connection, HandedOver& to) const {
  const auto& state = states_[connection.slot];
  if (connection.tls || state.tables == kNoSlot) return;
  for (const auto which : {Direction::kIngress, Direction::kEgress}) {
    const auto at = static_cast<std::size_t>(which);
    const auto& direction = state.directions[at];
    if (!direction.sequenced || direction.block.stream != 0 || connection.ended(which)) continue;
    const auto& decoder = tables_[state.tables].decoders[at];
    if (decoder.table().entries() == 0 && decoder.table().may_have_older()) continue;
    const auto table = hpack::text_of(decoder, http2::MessageHead::tells);
    to.put(connection.id, which, direction.next_sequence, connection.last_activity,
           std::string(1, state.speaks_grpc ? kSpokeGrpc : kSpokeHttp) + table);
  }
}

void Http2Conversation::on_reached(Connection& connection, Direction which,
                                   std::uint64_t position) {
  auto& direction = talk_on(connection).direction(which);
  if (direction.sequenced && position >= connection.direction(which).position)
    direction.next_sequence = direction.first_sequence + static_cast<std::uint32_t>(position);
}

void Http2Conversation::pass_jump(const Http2Talk& talk, const ChunkEvent& chunk) {
  auto& direction = talk.direction(chunk.direction);
  const auto frame = std::exchange(direction.under_way, {});
  auto seen = talk.connection.direction(chunk.direction).position;
  if (frame.stream != 0) {
    if (chunk.position < frame.end()) {
      direction.under_way = frame;
      return;
    }
    if (chunk.position > seen) {
      seen = frame.end();
      const auto before = chunk.previous_last_byte;
      end_data(talk, chunk.direction, frame, before.known() ? before : chunk.time);
    }
  }
  if (chunk.position > seen) ++direction.jumps;
}

// Of the client's frames it may have been a reset, or a message's end, or the beginning of streams
// whose answers will be no one's. Of the server's it may have been any open stream's end.
void Http2Conversation::miss(const Http2Talk& talk, Direction which, MonotonicTime until) {
  auto& direction = talk.direction(which);
  drop_block(talk, direction);
  direction.begun = true;
  direction.under_way = {};
  direction.unacknowledged = 0;
  direction.announced = false;
  ++direction.jumps;
  decoder(talk, which).lose();
  if (talk.connection.role == Role::kUnknown) return;
  for (auto slot = talk.state.streams.first; slot != kNoSlot;) {
    auto& stream = streams_[slot];
    const auto next = stream.next;
    if (open_[stream.exchange].read <= until) {
      stream.doubtful = true;
      if (talk.answers(which)) forget(talk, slot, ProtocolCounter::kOrphanGap);
    }
    slot = next;
  }
}

void Http2Conversation::on_frames_missed(Connection& connection, Direction direction) {
  miss(talk_on(connection), direction, {UINT64_MAX});
}

// Positions jump where nothing was told, and that is no loss: see on_frames_missed.
void Http2Conversation::on_gap(Connection& /*connection*/, Direction /*direction*/,
                               std::uint64_t /*gap_bytes*/, MonotonicTime /*last_byte*/) {}

bool Http2Conversation::gap_fits(const Connection& /*connection*/, Direction /*direction*/,
                                 std::uint64_t /*gap_bytes*/) const {
  return false;
}

void Http2Conversation::on_endpoints(Connection& connection, std::uint32_t first_sequence) {
  const auto talk = talk_on(connection);
  auto oldest = kNoSlot;
  for (auto slot = talk.state.streams.first; slot != kNoSlot; slot = streams_[slot].next) {
    take_endpoints(open_[streams_[slot].exchange], connection);
    if (oldest == kNoSlot || streams_[slot].id < streams_[oldest].id) oldest = slot;
  }
  if (oldest == kNoSlot) return;
  auto& sequence = open_[streams_[oldest].exchange].request_sequence;
  if (sequence == 0 && first_sequence != 0)
    sequence = first_sequence + streams_[oldest].chunk_offset;
}

// Once the server's direction has ended, every stream is settled.
void Http2Conversation::on_end(Connection& connection, const EndEvent& end) {
  const auto talk = talk_on(connection);
  if (connection.role == Role::kUnknown) return;
  const auto which = connection.response_direction();
  if (!connection.ended(which) && !end.final) return;
  const auto& reached = end.direction[static_cast<std::size_t>(which)];
  const auto frame = std::exchange(talk.response().under_way, {});
  if (frame.stream != 0 && reached.position >= frame.end())
    end_data(talk, which, frame, reached.last_byte.known() ? reached.last_byte : end.time);

  const bool client = connection.role == Role::kClient;
  const bool peer_closed =
      end.socket_error != 0 || (client ? connection.ingress_ended : connection.ingress_ended_first);
  auto ending =
      talk.ending(peer_closed ? Outcome::kAbortedByPeer : Outcome::kAbortedByUs, end.time);
  ending.socket_error = end.socket_error;
  const bool may_be_reset = end.missed[static_cast<std::size_t>(connection.request_direction())];
  const bool may_have_ended = end.missed[static_cast<std::size_t>(which)];
  while (talk.state.streams.first != kNoSlot) {
    const auto slot = talk.state.streams.first;
    if (streams_[slot].doubtful || may_be_reset) {
      forget(talk, slot, ProtocolCounter::kOrphanGap);
      continue;
    }
    if (is_all_there(talk, streams_[slot], reached.position)) {
      const auto last_byte = reached.last_byte.known() ? reached.last_byte : end.time;
      finish(talk, slot, talk.ending(Outcome::kComplete, last_byte));
    } else if (may_have_ended) {
      forget(talk, slot, ProtocolCounter::kOrphanGap);
    } else {
      finish(talk, slot, ending);
    }
  }
}

void Http2Conversation::abandon(Connection& connection) {
  const auto talk = talk_on(connection);
  forget_all(talk, ProtocolCounter::kOrphanRequest);
  for (auto& direction : talk.state.directions)
    drop_block(talk, direction);
  std::erase_if(told_tables_, [&](const ToldTable& told) { return told.slot == connection.slot; });
  if (talk.state.tables != kNoSlot) {
    for (const auto large : tables_[talk.state.tables].large)
      if (large != kNoSlot) large_tables_.release(large);
    tables_.release(talk.state.tables);
  }
  states_.release(connection.slot);
  connection.slot = kNoSlot;
}

}  // namespace exa
