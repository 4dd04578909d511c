// The frames of Http2Conversation, one by one: RFC 9113 section 6.
#include <algorithm>

#include "agent/conversation/http2/calls.h"
#include "agent/conversation/http2/http2_conversation.h"

namespace exa {
namespace {

// SETTINGS_HEADER_TABLE_SIZE, RFC 9113 section 6.5.2.
constexpr std::uint32_t kHeaderTableSize = 1;

std::uint32_t number_at(const Http2Entry& entry, std::size_t at, std::size_t bytes) {
  std::uint32_t number = 0;
  for (std::size_t i = at; i < at + bytes; ++i)
    number = number << 8 | static_cast<unsigned char>(entry.bytes[i]);
  return number;
}

// Adds what it has room for, up to so many bytes: how much that was.
std::size_t add(Http2Entry& entry, std::string_view text, std::size_t bytes) {
  const auto taken = std::min(bytes - entry.size, text.size());
  std::copy_n(text.begin(), taken, entry.bytes.begin() + entry.size);
  entry.size = static_cast<std::uint8_t>(entry.size + taken);
  return taken;
}

}  // namespace

void Http2Conversation::begin_frame(Reading& reading) {
  const auto& frame = reading.frames.frame();
  auto& direction = reading.direction;
  direction.under_way = {};
  direction.entry = {};
  if (direction.block.stream != 0 &&
      (frame.type != EXA_HTTP2_CONTINUATION || frame.stream != direction.block.stream)) {
    // No peer goes on after that.
    reading.use = ChunkUse::kParseError;
    messages_.add(ProtocolCounter::kParseErrorFraming);
    drop_block(reading.talk, direction);
    decoder(reading.talk, reading.chunk.direction).lose();
  }
  switch (frame.type) {
    case EXA_HTTP2_HEADERS:
    case EXA_HTTP2_PUSH_PROMISE:
      begin_block(reading);
      break;
    case EXA_HTTP2_CONTINUATION:
      direction.block.padding = 0;
      break;
    default:
      break;
  }
}

void Http2Conversation::take_payload(Reading& reading) {
  switch (reading.frames.frame().type) {
    case EXA_HTTP2_HEADERS:
    case EXA_HTTP2_PUSH_PROMISE:
    case EXA_HTTP2_CONTINUATION:
      take_fragment(reading);
      break;
    case EXA_HTTP2_SETTINGS:
      take_setting(reading);
      break;
    case EXA_HTTP2_RST_STREAM:
    case EXA_HTTP2_GOAWAY:
      add(reading.direction.entry, reading.frames.payload(), 4);
      break;
    default:
      break;
  }
}

void Http2Conversation::end_frame(Reading& reading) {
  const auto& frame = reading.frames.frame();
  switch (frame.type) {
    case EXA_HTTP2_DATA:
      reading.direction.under_way = {};
      end_data(reading.talk, reading.chunk.direction, frame, reading.chunk.time);
      break;
    case EXA_HTTP2_HEADERS:
    case EXA_HTTP2_PUSH_PROMISE:
    case EXA_HTTP2_CONTINUATION:
      end_block(reading);
      break;
    case EXA_HTTP2_RST_STREAM:
      reset(reading);
      break;
    case EXA_HTTP2_SETTINGS:
      end_settings(reading);
      break;
    case EXA_HTTP2_GOAWAY:
      go_away(reading);
      break;
    default:
      break;
  }
}

void Http2Conversation::take_setting(Reading& reading) {
  auto& direction = reading.direction;
  auto text = reading.frames.payload();
  while (!text.empty()) {
    text.remove_prefix(add(direction.entry, text, direction.entry.bytes.size()));
    if (direction.entry.size < direction.entry.bytes.size()) return;
    if (number_at(direction.entry, 0, 2) == kHeaderTableSize) {
      const auto before = direction.announced ? direction.table_bytes : 0;
      direction.announced = true;
      direction.table_bytes = std::max(before, number_at(direction.entry, 2, 4));
    }
    direction.entry = {};
  }
}

// They hold for the other direction's blocks from its acknowledgement on. Where several are under
// way, the largest of their limits holds for all: it only tells what is invalid.
void Http2Conversation::end_settings(Reading& reading) {
  if (!reading.frames.frame().has(EXA_HTTP2_ACK)) {
    if (reading.direction.unacknowledged < UINT8_MAX) ++reading.direction.unacknowledged;
    return;
  }
  const auto which = reading.chunk.direction;
  auto& announcer = reading.talk.direction(opposite(which));
  if (announcer.unacknowledged == 0) return;
  --announcer.unacknowledged;
  if (announcer.announced && reading.talk.state.tables != kNoSlot)
    decoder(reading.talk, which).set_limit(announcer.table_bytes);
  if (announcer.unacknowledged == 0) announcer.announced = false;
}

// The server has not looked at later streams, and never will.
void Http2Conversation::go_away(Reading& reading) {
  const auto& entry = reading.direction.entry;
  const auto which = reading.chunk.direction;
  if (!reading.talk.answers(which) || entry.size < 4) return;
  const auto last = number_at(entry, 0, 4) & 0x7fffffffu;
  const auto outcome =
      which == Direction::kIngress ? Outcome::kAbortedByPeer : Outcome::kAbortedByUs;
  for (auto slot = reading.talk.state.streams.first; slot != kNoSlot;) {
    const auto next = streams_[slot].next;
    if (streams_[slot].id > last)
      finish(reading.talk, slot, reading.talk.ending(outcome, reading.chunk.time));
    slot = next;
  }
}

// Of a stream that has been answered it only ends what is left of the request.
void Http2Conversation::reset(Reading& reading) {
  const auto which = reading.chunk.direction;
  if (reading.talk.connection.role == Role::kUnknown) return;
  const auto slot = streams_.find(reading.talk.connection.slot, reading.frames.frame().stream);
  if (slot == kNoSlot) return;
  const bool by_us = which == Direction::kEgress;
  calls::take_reset(open_[streams_[slot].exchange], streams_[slot],
                    number_at(reading.direction.entry, 0, 4), reading.chunk.time);
  finish(reading.talk, slot,
         reading.talk.ending(by_us ? Outcome::kAbortedByUs : Outcome::kAbortedByPeer,
                             reading.chunk.time));
}

}  // namespace exa
